import { crc32, inflateRawSync } from "node:zlib";
import {
  type DescrField,
  decodeNpy,
  decodeNpz,
  elementCaster,
  encodeNpy,
  formatNpyHeader,
  NdArray,
  parseNpyHeader,
  portableEngine,
  swapBytesInPlace,
  type ZipInflater,
} from "@npystream/codec";
import type { Case, Work } from "./contender.ts";
import type { NumpyTs, NumpyTsArray, Peers } from "./peers.ts";

const MIB = 1 << 20;
const STRUCT: readonly DescrField[] = [
  ["x", "<f4"],
  ["y", "<f4"],
  ["label", "<i8"],
];

/** The codec with Node's inflater and checksum, as the Node packages run it. */
const nodeEngine: ZipInflater = {
  crc32,
  inflate: (bytes, byteLength) => new Uint8Array(inflateRawSync(bytes, { maxOutputLength: byteLength })),
  inflateStart: (bytes, length) => portableEngine.inflateStart(bytes, length),
};

/** Whole numbers below 2^32, spread: the bytes that all sides work on, as in numpy_side.py. */
function words(count: number): Uint32Array {
  const made = new Uint32Array(count);
  for (let i = 0; i < count; i++) made[i] = Math.imul(i, 2654435761);
  return made;
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Gives what the table compares, with an archive that NumPy deflated. */
export function makeCases(peers: Peers, archive: Uint8Array): Case[] {
  return [...headerCases(peers), ...swapCases(peers), ...castCases(peers), ...decodeCases(peers, archive)];
}

function headerCases({ numpyTs, npyjs }: Peers): Case[] {
  const lengths = Array.from({ length: 1000 }, (_, i) => 64 + i);
  const headers = lengths.map((length) => formatNpyHeader({ dtype: "float32", shape: [length] }));
  const structs = lengths.map((length) => formatNpyHeader({ dtype: STRUCT, shape: [length] }));
  const same = headers.slice(0, 1).flatMap((header) => new Array<Uint8Array>(1000).fill(header));
  const parse = (title: string, id: string, texts: readonly Uint8Array[], itemSize: number): Case => ({
    ...{ id, title, unit: "headers", amount: 1000, repeats: 20 },
    ours: total(texts, (text) => parseNpyHeader(text).byteLength),
    // Neither peer reads fields.
    ...(itemSize === 4 && {
      numpyTs: total(texts, (text) => 4 * (numpyTs.parseNpyHeader(text).header.shape[0] ?? 0)),
      npyjs: total(texts, (text) => 4 * (npyjs.parse(text.buffer as ArrayBuffer).shape[0] ?? 0)),
    }),
  });
  const format = (title: string, id: string, dtype: "float32" | readonly DescrField[]): Case => ({
    ...{ id, title, unit: "headers", amount: 1000, repeats: 20 },
    ours: () => Buffer.concat(lengths.map((length) => formatNpyHeader({ dtype, shape: [length] }))),
  });
  return [
    parse("parse one header again and again", "parse-same", same, 4),
    parse("parse 1,000 headers of float32", "parse-different", headers, 4),
    parse("parse 1,000 headers of three fields", "parse-struct", structs, 16),
    format("format 1,000 headers of float32", "format", "float32"),
    format("format 1,000 headers of three fields", "format-struct", STRUCT),
  ];
}

/** Sums what each header says, as text: all sides print the same. */
function total(texts: readonly Uint8Array[], bytes: (text: Uint8Array) => number): Work {
  return () => {
    let sum = 0;
    for (const text of texts) sum += bytes(text);
    return String(sum);
  };
}

function swapCases({ numpyTs }: Peers): Case[] {
  const sizes = [MIB, 16 * MIB];
  return sizes.flatMap((size) =>
    ([2, 4, 8] as const).map((unit): Case => {
      const source = bytesOf(words(size / 4));
      const copy = new Uint8Array(size).fill(1);
      const inPlace = source.slice();
      const peer = numpyTsArray(numpyTs, unit === 2 ? "uint16" : unit === 4 ? "uint32" : "uint64", source.slice());
      return {
        ...{ id: `swap${unit}-${size / MIB}`, title: `swap ${unit}-byte elements of ${size / MIB} MiB in place` },
        ...{ unit: "bytes", amount: size, repeats: size > MIB ? 5 : 101 },
        ours: () => {
          swapBytesInPlace(inPlace, unit);
          return inPlace;
        },
        node: {
          ...{ label: "Uint8Array.set", isCopy: true },
          work: () => {
            copy.set(source);
            return copy;
          },
        },
        numpyTs: () => peer.byteswap(true).data,
      };
    }),
  );
}

function numpyTsArray(numpyTs: NumpyTs, dtype: "uint16" | "uint32" | "uint64", bytes: Uint8Array): NumpyTsArray {
  const array = NdArray.zeros(dtype, [(8 * bytes.length) / Number(dtype.slice(4))]);
  bytesOf(array.data).set(bytes);
  return numpyTs.parseNpy(encodeNpy(array));
}

function castCases({ numpyTs, npyjs }: Peers): Case[] {
  const floats = NdArray.from<"float32">(Float32Array.from(words(MIB), (word) => word / 2 ** 32 - 0.5));
  const halves = floats.astype("float16");
  const longs = NdArray.from<"int64">(BigInt64Array.from({ length: MIB }, (_, i) => BigInt(3 * i - 1000)));
  const halfFile = encodeNpy(halves).buffer as ArrayBuffer;
  const cast = (id: string, from: NdArray, to: "float16" | "float32" | "float64" | "int32"): Case => {
    const out = NdArray.zeros(to, [MIB]);
    const caster = elementCaster(from.type, from.data, out.type, out.data);
    return {
      ...{ id, title: `${from.dtype} to ${to}, into memory that is there`, unit: "elements", amount: MIB, repeats: 8 },
      ours: () => {
        caster(0, 0, MIB);
        return out.data;
      },
    };
  };
  const casts = [
    cast("f16-f32", halves, "float32"),
    cast("f32-f16", floats, "float16"),
    cast("i64-i32", longs, "int32"),
    cast("i64-f64", longs, "float64"),
  ];
  return [
    ...casts,
    {
      ...{ id: "f16-f32-new", title: "float16 to a new float32 array", unit: "elements", amount: MIB, repeats: 8 },
      ours: () => halves.astype("float32").data,
      npyjs: () => npyjs.parse(halfFile).data,
    },
    peerCast("i64-i32-new", longs, "int32", numpyTs),
    peerCast("i64-f64-new", longs, "float64", numpyTs),
  ];
}

function peerCast(id: string, from: NdArray, to: "int32" | "float64", numpyTs: NumpyTs): Case {
  const peer: NumpyTsArray = numpyTs.parseNpy(encodeNpy(from));
  return {
    ...{ id, title: `${from.dtype} to a new ${to} array`, unit: "elements", amount: MIB, repeats: 8 },
    ours: () => from.astype(to).data,
    numpyTs: () => peer.astype(to).data,
  };
}

function decodeCases({ numpyTs, npyjs }: Peers, archive: Uint8Array): Case[] {
  const data = bytesOf(words(4 * MIB));
  const decode = (mib: number): Case => {
    const file = encodeNpy(NdArray.from<"float32">(new Float32Array(words((mib * MIB) / 4).buffer)));
    return {
      ...{ id: `decode-${mib}`, title: `decode a .npy of ${mib} MiB float32`, unit: "arrays", amount: 1 },
      ...{ repeats: mib === 1 ? 21 : 1, input: file.buffer },
      ours: () => decodeNpy(file).data,
      npyjs: () => npyjs.parse(file.buffer as ArrayBuffer).data,
      numpyTs: () => numpyTs.parseNpy(file).data,
    };
  };
  const member = { id: "npz-deflated", unit: "bytes", amount: 4 * MIB, repeats: 3 } as const;
  const decodeMember = (engine: ZipInflater) => () => decodeNpz(archive, { engine })["x"]?.data ?? "";
  return [
    {
      ...{ id: "crc32", title: "CRC-32 of 16 MiB, portable engine", unit: "bytes", amount: 16 * MIB, repeats: 3 },
      ours: () => String(portableEngine.crc32(data)),
      node: { label: "node:zlib", work: () => String(crc32(data)) },
    },
    decode(1),
    decode(64),
    {
      ...{ ...member, title: "decode a deflated .npz of 4 MiB float32, portable engine" },
      ours: decodeMember(portableEngine),
      node: { label: "codec with node:zlib", work: decodeMember(nodeEngine) },
      numpyTs: async () => (await numpyTs.loadNpz(archive))["x"]?.data ?? "",
    },
  ];
}
