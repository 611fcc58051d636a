/**
 * Writing `.npy` and `.npz`: row streams whose length need not be known, whole arrays, and the sinks they go to.
 *
 * Files are atomic: a name stands for a whole array or for what it stood for before.
 *
 * @packageDocumentation
 */

export type { ArrayInput } from "./array-input.ts";
export { type FileSink, type FileSinkOptions, fileSink } from "./file-sink.ts";
export type { NpyWriteOptions, NpyWriteResult, WriteProgress } from "./npy-write-options.ts";
export { createNpyWriteStream, type NpyWriteStream } from "./npy-write-stream.ts";
export type { NpzArrayOptions, NpzMemberOptions, NpzWriteResult, NpzWriterOptions } from "./npz-write-options.ts";
export { createNpzWriter, type NpzWriter } from "./npz-writer.ts";
export type { PushStream } from "./push-stream.ts";
export type { ShardArrayOptions, ShardWriteResult, ShardWriterOptions } from "./shard-write-options.ts";
export { createShardWriter, type ShardWriter } from "./shard-writer.ts";
export { type StreamSinkOptions, streamSink } from "./stream-sink.ts";
export { type WriteNpyOptions, writeNpy } from "./write-npy.ts";
export { type WriteNpzOptions, writeNpz } from "./write-npz.ts";
export type { WriteTarget } from "./write-target.ts";
