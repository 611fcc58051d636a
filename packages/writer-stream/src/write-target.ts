import type { ByteSink } from "@npystream/codec";
import { fileSink } from "./file-sink.ts";

/** Where an array is written: a path, a `file:` URL, or a sink. */
export type WriteTarget = string | URL | ByteSink;

/** Tells a sink from a path. @throws TypeError for what is neither. */
export function isSink(target: WriteTarget): target is ByteSink {
  if (typeof target === "string" || target instanceof URL) return false;
  if (typeof target?.write === "function" && typeof target.commit === "function") return true;
  throw new TypeError("expected a path, a file: URL or a ByteSink; streamSink() makes one of a stream");
}

/** Opens the file of a path; a sink is open. @throws what `fileSink` throws. */
export async function openSink(target: WriteTarget, overwrite: boolean): Promise<ByteSink> {
  return isSink(target) ? target : await fileSink(target, { overwrite });
}

/** Path of the file that a sink makes, where it makes one. */
export function sinkPath(sink: ByteSink): { readonly path?: string } {
  return "path" in sink && typeof sink.path === "string" ? { path: sink.path } : {};
}
