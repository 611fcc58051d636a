import { dirname, relative } from "node:path";
import type { DType } from "@npystream/codec";
import { openNpy, openNpz } from "@npystream/reader-stream";
import type { DigitsResult } from "./pipeline.ts";

/** Describes a run in lines: every file that it left with its shape, how to open one in Python, and the accuracy. */
export async function reportLines(result: DigitsResult): Promise<string[]> {
  const { pairs, tested, right, predictions, deliveredMeanwhile } = result;
  const folder = dirname(predictions);
  const files: [path: string, summary: string][] = [];
  for (const path of pairs.flatMap((pair) => [pair.features, pair.labels])) {
    files.push([relative(folder, path), await describeNpy(path)]);
  }
  files.push([relative(folder, predictions), await describeNpz(predictions)]);
  const width = Math.max(...files.map(([path]) => path.length));
  return [
    `${pairs.length} pairs delivered once each, ${deliveredMeanwhile} of them while the producer was still dropping more`,
    "",
    `files in ${fromHere(folder)}:`,
    ...files.map(([path, summary]) => `  ${path.padEnd(width)}  ${summary}`),
    "",
    `in Python: import numpy; numpy.load(${JSON.stringify(fromHere(predictions))})["predictions"]`,
    "",
    `test accuracy ${(right / tested).toFixed(4)} (${right} of ${tested} held-out digits)`,
  ];
}

async function describeNpy(path: string): Promise<string> {
  await using file = await openNpy(path);
  return describe(file.dtype, file.shape);
}

async function describeNpz(path: string): Promise<string> {
  await using archive = await openNpz(path);
  const members: string[] = [];
  for (const name of archive.names) {
    await using member = await archive.open(name);
    members.push(`${name} ${describe(member.dtype, member.shape)}`);
  }
  return members.join(", ");
}

function describe(dtype: DType, shape: readonly number[]): string {
  return `${dtype} [${shape.join(", ")}]`;
}

/** The path as a user would type it in the folder where the command was started. */
function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}
