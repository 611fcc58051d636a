import {
  type ByteSink,
  type DTypeLike,
  type ElementType,
  elementType,
  isNpyError,
  NpyError,
  type NpyErrorLocation,
  type NpyHeader,
} from "@npystream/codec";
import { AppendFile, openAppend } from "./append-file.ts";
import { type ArrayInput, dtypeError, isSameType } from "./array-input.ts";
import { pathOf } from "./file-sink.ts";
import { NpyRowWriter } from "./npy-row-writer.ts";
import {
  type NpyWriteOptions,
  type NpyWriteResult,
  type ResolvedWriteOptions,
  resolveWriteOptions,
} from "./npy-write-options.ts";
import { type ChunkWriter, type OpenChunkWriter, type PendingChunk, PushStream } from "./push-stream.ts";
import { RowEncoder } from "./row-encoder.ts";
import { isSink, openSink, sinkPath, type WriteTarget } from "./write-target.ts";

/**
 * Creates a stream that writes chunks of rows as one `.npy`, or as one after another with `framing: 'sequence'`.
 *
 * A chunk is an `NdArray` or `RowChunk` of rows, or of one row; a typed array of whole rows; nested lists of values;
 * or a `Uint8Array` with the bytes of whole rows in the machine's byte order (of uint8 and bool, whose entries are
 * bytes, both are the same). Nothing is cast. Rows of any layout are written in C order.
 *
 * A path is written atomically, see `fileSink`. With `mode: 'append'`, rows are added to the file: written behind its
 * data, flushed to the disk, and only then told of in its header, so that whenever this is cut short a reader finds the
 * old rows or all of them. An error or abort cuts the file back. Rows come out in the byte order that the file has.
 *
 * Up to `highWaterMark` bytes are gathered, and 2 chunks beside those
 * wait in the stream, whose own `writableHighWaterMark` counts chunks. A chunk may be changed again once `write` has
 * called back or `push` has resolved.
 *
 * Errors come out of `push` and `finish`, of callbacks and of the `error` event: `ERR_WRITE_SHAPE` and
 * `ERR_WRITE_DTYPE` for rows that do not fit, `ERR_WRITE_EXISTS` for a target that exists, `ERR_WRITE_NO_SPACE` and
 * `ERR_WRITE_IO` from the sink; in append mode `ERR_WRITE_LOCKED` while another one appends, `ERR_WRITE_APPEND` for a
 * file that cannot grow, and those of reading one that is no whole `.npy`. Nothing is committed then. An `error` listener is not needed by who uses `push` and
 * `finish`.
 *
 * @throws TypeError for an unknown option, or a sink that cannot seek without `rows` and `framing: 'sequence'`;
 *   RangeError for a number that is no count; NpyError `ERR_NPY_DTYPE` for a dtype there is not.
 * @example
 * const out = createNpyWriteStream("features.npy", { dtype: "float32", rowShape: [128] });
 * for await (const rows of source) await out.push(rows);
 * const { shape } = await out.finish();
 */
export function createNpyWriteStream(target: WriteTarget, options: NpyWriteOptions = {}): NpyWriteStream {
  const resolved = resolveWriteOptions(target, options);
  const encoder = new RowEncoder(resolved.dtype, resolved.rowShape);
  // Now, since the process may be elsewhere when the file is opened.
  const place = isSink(target) ? target : pathOf(target);
  const open: OpenChunkWriter<NpyWriteResult> = (onFailure) => openWriter(place, resolved, encoder, onFailure);
  return new NpyWriteStream(open, resolved.signal);
}

/** A stream of rows into a `.npy`; `createNpyWriteStream` makes it. */
export class NpyWriteStream extends PushStream<ArrayInput, NpyWriteResult> {}

async function openWriter(
  target: string | ByteSink,
  options: ResolvedWriteOptions,
  encoder: RowEncoder,
  onFailure: (error: unknown) => void,
): Promise<ChunkWriter<NpyWriteResult>> {
  // A sink has been refused where rows are to be appended.
  const append = options.mode === "append" && typeof target === "string";
  const sink = append ? await openAppend(target) : await openSink(target, options.overwrite);
  if (!(sink instanceof AppendFile)) return new SinkWriter(sink, new NpyRowWriter(sink, encoder, options, onFailure));
  try {
    const same = encoderFor(sink.growing.header, options);
    return new SinkWriter(sink, new NpyRowWriter(sink, same, options, onFailure, sink));
  } catch (error) {
    await sink.abort();
    throw isNpyError(error) ? error.locate({ path: sink.path }) : error;
  }
}

/** Makes rows as a file has them. @throws NpyError `ERR_WRITE_DTYPE`, `ERR_WRITE_SHAPE` where others are asked for. */
function encoderFor(header: NpyHeader, { dtype, rowShape }: ResolvedWriteOptions): RowEncoder {
  const own = header.shape.slice(1);
  if (rowShape !== undefined && rowShape.join() !== own.join()) {
    const message = `the file has rows of shape [${own.join(", ")}], not [${rowShape.join(", ")}]`;
    throw new NpyError("ERR_WRITE_SHAPE", message);
  }
  return new RowEncoder(typeFor(header, dtype), own, header.swaps);
}

function typeFor(header: NpyHeader, dtype: DTypeLike | undefined): ElementType {
  const type = dtype === undefined ? header.type : elementType(dtype);
  // ml_dtypes saves bfloat16 as two bytes of no type, and a file does not tell the one from the other.
  const isSame = isSameType(type, header.type) || (type.dtype === "bfloat16" && header.descr === "<V2");
  if (!isSame) throw dtypeError(header.type, type.dtype);
  return type;
}

/** Rows on their way into a sink. */
class SinkWriter implements ChunkWriter<NpyWriteResult> {
  readonly location: NpyErrorLocation;
  readonly #sink: ByteSink;
  readonly #writer: NpyRowWriter;

  constructor(sink: ByteSink, writer: NpyRowWriter) {
    this.location = sinkPath(sink);
    this.#sink = sink;
    this.#writer = writer;
  }

  take(chunk: unknown): PendingChunk | undefined {
    return this.#writer.take(chunk);
  }

  async finish(): Promise<NpyWriteResult> {
    return { ...sinkPath(this.#sink), ...(await this.#writer.finish()) };
  }

  commit(): Promise<void> {
    return this.#sink.commit();
  }

  abort(reason: unknown): Promise<void> {
    return this.#sink.abort(reason);
  }
}
