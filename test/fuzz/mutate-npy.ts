import { isNpy } from "@npystream/codec";
import { replaced } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

/** What the text of a header may be made of, and some of what it may not. */
const TOKENS = [
  ..."{ } [ ] ( ) , : ' \" \\ - + L 0 1 2 3 7 64 255 65536 2147483648 4294967296 9007199254740991 -1 1.5 1e9 0x10".split(
    " ",
  ),
  ...[
    "4611686018427387904",
    "18446744073709551616",
    "True",
    "False",
    "None",
    "\\x00",
    "\\n",
    "\\u03c0",
    "\x85",
    "\xff",
    "\0",
  ],
  ...[
    "(0,)",
    "(1,)",
    "(2, 3)",
    "()",
    "(0, 9007199254740991)",
    "(3,)",
    "(2, 2, 2)",
    "(64,)",
    "(1, 1, 1, 1, 1, 1, 1, 1)",
  ],
  ...[
    "'<f4'",
    "'>f8'",
    "'|u1'",
    "'>i2'",
    "'?'",
    "'<c16'",
    "'>c8'",
    "'>U3'",
    "'S5'",
    "'|V7'",
    "'|V0'",
    "'<U0'",
    "'>M8[ns]'",
  ],
  ...["'<m8[25s]'", "'|O'", "'>f16'", "'<f2'", "'>f12'", "'S2147483647'", "'U536870911'", "'|V2147483647'", "'i4,i4'"],
  ...["[('a', '<i4')]", "[('a', '>i2'), ('b', '<f8', (2, 3))]", "[('', '|V3'), ('a', '>i4')]", "('<f4', (2,))", "[]"],
  ...[
    "[(('t', 'a'), '>i8')]",
    "('a', '>u2', 0),",
    "('b', [('c', '>i2'), ('d', '|u1')], 9)",
    "[('a', '>i4', (0,)), ('b', '|i1')]",
  ],
  ...["'descr'", "'fortran_order'", "'shape'", "'descr': ", "'shape': (4,), ", "{}", "[]", ", ", " "],
];

const PIECE = /'[^']*'|"[^"]*"|\w+|\([^()]*\)|\[[^[\]]*\]|./gs;

/** Changes words of a `.npy` header and corrects its length; other bytes than those of a `.npy` are left as they are. */
export function mutateHeader(bytes: Uint8Array, random: Random): Uint8Array {
  const lengthBytes = bytes[6] === 1 ? 2 : 4;
  const textAt = 8 + lengthBytes;
  if (!isNpy(bytes) || bytes.length < textAt) return bytes;
  const length = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUIntLE(8, lengthBytes);
  const text = Buffer.from(bytes.subarray(textAt, textAt + length)).toString("latin1");
  const pieces = text.match(PIECE) ?? [];
  for (let i = random.below(3); i >= 0; i--) {
    const at = random.below(pieces.length + 1);
    const removed = random.below(random.oneIn(8) ? 20 : 2);
    const inserted = Array.from({ length: random.below(3) }, () => random.pick(TOKENS));
    if (random.oneIn(6)) inserted.push(...pieces.slice(at, at + 5));
    pieces.splice(at, removed, ...inserted);
  }
  const after = Buffer.from(pieces.join(""), "latin1");
  if (after.length >= 2 ** (8 * lengthBytes)) return bytes;
  const head = Buffer.from(bytes.subarray(0, textAt));
  head.writeUIntLE(after.length, 8, lengthBytes);
  if (random.oneIn(20)) head[6] = random.pick([1, 2, 3]);
  return replaced(replaced(bytes, textAt, textAt + length, after), 0, textAt, head);
}
