import { type DurableFile, stoppedError } from "./durable-file.ts";
import { writeError } from "./write-error.ts";

/** What a {@link Commitment} is made of. */
export interface CommitmentInit {
  /** What to call the file in an error. */
  readonly path: string;
  readonly file: DurableFile;
  /** Makes what was written visible, and calls {@link Commitment.passed} at the moment from which it stands. */
  readonly publish: () => Promise<void>;
  /** Takes back what was written, of which no more is being written then; not called where it stands. */
  readonly undo: () => Promise<void>;
}

/**
 * The one end that a file comes to: what was written stands, or nothing of it. Both are asked for as often as one likes and
 * done once; an abort that comes during a commit is before the moment from which it stands, or too late.
 */
export class Commitment {
  readonly #init: CommitmentInit;
  #stands = false;
  #commit: Promise<void> | undefined;
  #abort: Promise<void> | undefined;

  constructor(init: CommitmentInit) {
    this.#init = init;
  }

  /** Commits; what fails is taken back. @throws NpyError `ERR_WRITE_EXISTS`, `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO` */
  async commit(): Promise<void> {
    this.#commit ??= this.#init.publish();
    try {
      await this.#commit;
    } catch (error) {
      // Why it failed says more than why it could not be taken back.
      await this.abort().catch(() => undefined);
      throw writeError(error, this.#init.path);
    }
  }

  /** Takes everything back, unless it stands. @throws the system's error. */
  abort(): Promise<void> {
    this.#abort ??= this.#takeBack();
    return this.#abort;
  }

  /** To be called right before the system call that commits: nothing else runs until that. @throws Error after an abort. */
  checkNotAborted(): void {
    if (this.#init.file.isStopped) throw stoppedError();
  }

  /** From here on nothing is taken back. */
  passed(): void {
    this.#stands = true;
  }

  async #takeBack(): Promise<void> {
    const stopped = this.#init.file.stop();
    // A commit under way ends first: it may be in a call on the file, and only it knows whether what was written stands.
    await this.#commit?.catch(() => undefined);
    if (this.#stands) return;
    await stopped;
    await this.#init.undo();
  }
}
