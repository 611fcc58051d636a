import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { DType } from "@npystream/codec";
import { openNpy, openNpz } from "@npystream/reader-stream";
import { shardNames, stageFolders } from "./convention.ts";
import type { DigitsResult } from "./pipeline.ts";
import { runPaths } from "./run-folder.ts";

/** Describes a run in lines: every array that is there with its shape, how to open one in Python, and the accuracy. */
export async function reportLines({ folder, ingested, worked, tested, right }: DigitsResult): Promise<string[]> {
  const files: [path: string, summary: string][] = [];
  for (const stage of stageFolders) {
    for (const name of (await readdir(join(folder, stage))).filter(isShown).sort()) {
      const path = join(stage, name);
      const describeFile = name.endsWith(".npz") ? describeNpz : describeNpy;
      files.push([path, await describeFile(join(folder, path))]);
    }
  }
  const width = Math.max(...files.map(([path]) => path.length));
  const { predictions } = runPaths(folder);
  return [
    worked === 0
      ? `everything was done already; remove ${fromHere(folder)} to have it done again`
      : `${ingested.pairs} pairs ingested, ${ingested.meanwhile} of them before the producer had ended`,
    "",
    `files in ${fromHere(folder)}, of all shards the first:`,
    ...files.map(([path, summary]) => `  ${path.padEnd(width)}  ${summary}`),
    "",
    `in Python: import numpy; numpy.load(${JSON.stringify(fromHere(predictions))})["predictions"]`,
    "",
    `test accuracy ${(right / tested).toFixed(4)} (${right} of ${tested} held-out digits)`,
  ];
}

/** Whether a file is an array, or arrays, and no shard but the first. */
function isShown(name: string): boolean {
  return /\.np[yz]$/.test(name) && (shardNames.parse(name)?.shard ?? 0) === 0;
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
