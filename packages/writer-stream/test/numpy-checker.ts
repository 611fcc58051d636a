import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const program = `
import json, shutil, subprocess, sys, zipfile
import numpy as np
for line in sys.stdin:
    path, arrays, aligned = json.loads(line)
    try:
        problems = []
        with zipfile.ZipFile(path) as z:
            bad = z.testzip()
            if bad is not None: problems.append(f'testzip: {bad}')
            for info in z.infolist():
                if aligned and info.filename.endswith('.npy') and info.compress_type == zipfile.ZIP_STORED:
                    z.fp.seek(info.header_offset + 26)
                    lengths = z.fp.read(4)
                    start = info.header_offset + 30 + int.from_bytes(lengths[:2], 'little') + int.from_bytes(lengths[2:], 'little')
                    z.fp.seek(start + 8)
                    data = start + 10 + int.from_bytes(z.fp.read(2), 'little')
                    if data % aligned: problems.append(f'{info.filename} at {data}')
        if shutil.which('unzip'):
            run = subprocess.run(['unzip', '-tq', path], capture_output=True, text=True)
            # 1 is a warning; an archive without members is one.
            if run.returncode > (0 if arrays else 1): problems.append(run.stdout + run.stderr)
        with np.load(path) as z:
            if z.files != list(arrays): problems.append(f'files {z.files}')
            for name, text in arrays.items():
                want = np.asarray(eval(text))
                got = z[name]
                if got.dtype != want.dtype or got.shape != want.shape or got.flags.f_contiguous != want.flags.f_contiguous:
                    problems.append(f'{name}: {got.dtype} {got.shape} {got.flags.f_contiguous}')
                elif got.tobytes() != want.tobytes(): problems.append(f'{name}: other values')
    except Exception as error:
        problems = [repr(error)]
    print(json.dumps(problems), flush=True)
`;

/** What an archive is to hold: for each name an expression of NumPy, in the order of `np.load(path).files`. */
export type ExpectedArrays = Readonly<Record<string, string>>;

/** One Python process that reads archives with NumPy and zipfile, and with unzip where that is installed. */
export class NumpyChecker {
  readonly #python: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    const python = spawn("python3", ["-W", "ignore", "-c", program], { stdio: ["pipe", "pipe", "inherit"] });
    this.#python = python;
    this.#answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Gives what is wrong with an archive: nothing, for one that every reader takes.
   *
   * @param alignment - What the data of stored members begins at a multiple of. @defaultValue it is not looked at
   */
  check(path: string, arrays: ExpectedArrays, alignment = 0): Promise<readonly string[]> {
    const answer = this.#last.then(async () => {
      this.#python.stdin?.write(`${JSON.stringify([path, arrays, alignment])}\n`);
      return JSON.parse((await this.#answers.next()).value) as string[];
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the process. */
  close(): void {
    this.#python.stdin?.end();
  }
}
