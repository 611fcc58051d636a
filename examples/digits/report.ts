import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { DType } from "@npystream/codec";
import { openNpy, openNpz } from "@npystream/reader-stream";
import type { DigitsResult } from "./pipeline.ts";
import { runPaths } from "./run-folder.ts";

/** Describes a run in lines: every array that it left with its shape, how to open one in Python, and the accuracy. */
export async function reportLines({ folder, ingested, tested, right }: DigitsResult): Promise<string[]> {
  const found = await readdir(folder, { recursive: true });
  const files: [path: string, summary: string][] = [];
  for (const path of found.sort()) {
    if (path.endsWith(".npy")) files.push([path, await describeNpy(join(folder, path))]);
    if (path.endsWith(".npz")) files.push([path, await describeNpz(join(folder, path))]);
  }
  const width = Math.max(...files.map(([path]) => path.length));
  const { predictions } = runPaths(folder);
  return [
    ...(ingested === undefined ? [] : [describeIngested(ingested.features.length, ingested.deliveredMeanwhile), ""]),
    `files in ${fromHere(folder)}:`,
    ...files.map(([path, summary]) => `  ${path.padEnd(width)}  ${summary}`),
    "",
    `in Python: import numpy; numpy.load(${JSON.stringify(fromHere(predictions))})["predictions"]`,
    "",
    `test accuracy ${(right / tested).toFixed(4)} (${right} of ${tested} held-out digits)`,
  ];
}

function describeIngested(pairs: number, meanwhile: number): string {
  return `${pairs} pairs delivered once each, ${meanwhile} of them while the producer was still dropping more`;
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
