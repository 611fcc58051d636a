import type { Writable } from "node:stream";

/** Characters that are gathered before they are written. */
const PIECE_CHARACTERS = 1 << 16;

/** What a write to a pipe without a reader fails with; EOF on Windows. */
const CLOSED_CODES: readonly string[] = ["EPIPE", "EOF"];

const guarded = new WeakSet<Writable>();

/** The output cannot be written; `cause` is the system's error. */
export class OutputError extends Error {
  override readonly name = "OutputError";
  /** Whether its reader has stopped, as `head` does, so that nothing more needs to be written. */
  readonly isClosed: boolean;

  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause });
    const code = cause.code ?? "";
    // Node's own codes of a stream that has been destroyed or ended.
    this.isClosed = CLOSED_CODES.includes(code) || code.startsWith("ERR_STREAM_");
  }
}

/** Writes text to a stream in pieces of 64 Ki characters, each taken before the next is made. */
export class TextOutput {
  readonly #stream: Writable;
  #pending = "";

  constructor(stream: Writable) {
    this.#stream = stream;
    if (guarded.has(stream)) return;
    guarded.add(stream);
    // A stream emits what its write callback is told too; without a listener that would end the process.
    stream.on("error", () => {});
  }

  /** Adds `text`; resolves at once, or when the stream has taken what was gathered. @throws OutputError */
  async write(text: string): Promise<void> {
    this.#pending += text;
    if (this.#pending.length >= PIECE_CHARACTERS) await this.flush();
  }

  /** Writes what was gathered. @throws OutputError where the stream does not take it. */
  async flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = "";
    if (text === "") return;
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error == null) resolve();
        else reject(new OutputError(error));
      });
    });
  }
}
