import type { ByteSource } from "@npystream/codec";

/** A source whose bytes are looked at where they lie, without the read that would tell that the file was changed. */
export interface WatchedSource extends ByteSource {
  /** @throws NpyError `ERR_SOURCE_CHANGED`, `ERR_SOURCE_TRUNCATED` where the file is not as it was when it was opened. */
  checkUnchanged(): void;
}

/** Tells whether a source can say that it is as it was, without a read. */
export function isWatched(source: ByteSource): source is WatchedSource {
  return "checkUnchanged" in source && source.checkUnchanged !== undefined;
}

/** Refuses a source that says that it was changed; others are told by their next read. */
export function checkUnchanged(source: ByteSource): void {
  if (isWatched(source)) source.checkUnchanged();
}
