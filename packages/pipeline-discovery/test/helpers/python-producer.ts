import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";

/** Runs each line it is sent, a JSON text of Python code, with NumPy at hand, and answers with `answer` when it is done. */
const SERVER = `
import io, json, os, shutil, sys, time
import numpy as np

def features(rows, columns=4):
    return np.arange(1, rows * columns + 1, dtype=np.float32).reshape(rows, columns)

def labels(rows):
    return np.arange(1, rows + 1, dtype=np.int64)

def pair(folder, key, rows=3):
    np.save(f"{folder}/{key}.features.npy", features(rows))
    np.save(f"{folder}/{key}.labels.npy", labels(rows))

def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()

def slowly(path, data, pieces, pause):
    with open(path, "wb", buffering=0) as file:
        for at in range(0, len(data), -(-len(data) // pieces)):
            file.write(data[at : at + -(-len(data) // pieces)])
            time.sleep(pause)

for line in sys.stdin:
    answer = None
    try:
        exec(json.loads(line), globals())
        print(f"done {json.dumps(answer)}", flush=True)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}".replace("\\n", " "), flush=True)
`;

/** A Python process that writes files with NumPy as it is told. */
export class PythonProducer implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams = spawn("python3", ["-c", SERVER]);
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** Runs Python code, after what it was told before, and gives what it left in `answer`. */
  run(code: string): Promise<unknown> {
    const result = this.#last.then(async (): Promise<unknown> => {
      this.#child.stdin.write(`${JSON.stringify(code)}\n`);
      const { value } = await this.#answers.next();
      if (!String(value).startsWith("done ")) {
        throw new Error(`${value} in ${code}`);
      }
      return JSON.parse(String(value).slice(5));
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    this.#child.stdin.end();
    this.#lines.close();
    this.#child.kill();
  }
}
