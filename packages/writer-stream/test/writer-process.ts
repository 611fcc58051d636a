/**
 * A process that writes, for tests that need one of their own.
 *
 *     writer-process.ts grow PATH           writes until something fails, by push and by writeNpy, and prints code and cause
 *     writer-process.ts forever PATH...     replaces every PATH again and again, each time by rows that all hold one number
 */
import { isNpyError } from "@npystream/codec";
import { createNpyWriteStream, writeNpy } from "@npystream/writer-stream";

const [mode, ...paths] = process.argv.slice(2);

if (mode === "grow") {
  const [path = ""] = paths;
  await report(async () => {
    const out = createNpyWriteStream(path, { overwrite: true });
    for (const row = new Float64Array(64); ; ) await out.push(row);
  });
  await report(() => writeNpy(path, new Float64Array(8 << 20), { overwrite: true }));
} else {
  await Promise.all(paths.map(replaceForever));
}

async function replaceForever(target: string, lane: number): Promise<void> {
  for (let generation = 1; ; generation++) {
    const out = createNpyWriteStream(target, { dtype: "int32", rowShape: [256], overwrite: true });
    const rows = 1 + (((generation + lane) * 997) % 3000);
    const row = new Int32Array(256).fill(generation);
    for (let i = 0; i < rows; i++) await out.push(row);
    await out.finish();
    if (generation === 1) process.stdout.write("r");
  }
}

async function report(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const cause = isNpyError(error) ? error.cause : undefined;
    const errno = cause instanceof Error && "code" in cause ? cause.code : cause;
    console.log(`${isNpyError(error) ? error.code : error} ${errno}`);
  }
}
