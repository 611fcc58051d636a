import { Readable, Writable } from "node:stream";
import { run } from "../src/run.ts";

/** What a run printed and how it ended. */
export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What stands in for the process. */
export interface CaptureOptions {
  /** Columns of the terminal that stdout is. @defaultValue it is none */
  readonly terminal?: number;
  readonly stdin?: Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the command in this process and keeps what it prints. */
export async function runCaptured(argv: readonly string[], options: CaptureOptions = {}): Promise<Captured> {
  const stdout = new TextSink();
  const stderr = new TextSink();
  const terminal = options.terminal === undefined ? {} : { isTTY: true, columns: options.terminal };
  const code = await run(argv, {
    stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
    stdout: Object.assign(stdout, terminal),
    stderr,
    environment: options.environment ?? { NO_COLOR: "1" },
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class TextSink extends Writable {
  text = "";

  constructor() {
    super({ decodeStrings: false });
  }

  override _write(chunk: string | Uint8Array, _encoding: string, done: () => void): void {
    this.text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    done();
  }
}
