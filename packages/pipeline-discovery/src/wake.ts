/** Lets a loop sleep until it is called or a time has passed; a call that comes before it sleeps is not lost. */
export class Wake {
  #isCalled = false;
  #resume: (() => void) | undefined;

  /** Ends the sleep, or the next one before it begins. */
  call(): void {
    this.#isCalled = true;
    this.#resume?.();
  }

  /** Sleeps until it is called, or for this many milliseconds. One loop sleeps at a time. */
  async sleep(timeoutMs: number = Number.POSITIVE_INFINITY): Promise<void> {
    if (!this.#isCalled) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
        timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
      this.#resume = undefined;
    }
    this.#isCalled = false;
  }
}
