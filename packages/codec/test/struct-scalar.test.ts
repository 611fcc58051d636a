import { decodeNpy, encodeNpy, fromNested } from "@npystream/codec";
import test from "ava";

test("records are made of objects, and a record that lacks a field or fits none is refused", (t) => {
  const type = [
    ["id", "<i8"],
    ["name", "U4"],
    ["m", "f4", [2, 2]],
  ] as const;
  const records = [
    {
      id: 1n,
      name: "one",
      m: [
        [1, 2],
        [3, 4],
      ],
    },
    {
      id: -1n,
      name: "日本",
      m: [
        [0, 0],
        [0, 0.5],
      ],
    },
  ];
  const array = fromNested(records, type);
  t.deepEqual(array.toNested() as unknown, records);
  t.deepEqual(decodeNpy(encodeNpy(array)).toNested() as unknown, records);
  t.throws(() => fromNested([{ id: 1 }], type), { instanceOf: TypeError, message: /lacks field "name"/ });
  t.throws(() => fromNested([{ id: 1, name: "x", m: [1] }], type), { instanceOf: RangeError });
  t.throws(() => fromNested([7], type), { instanceOf: TypeError });
});

test("a field may be called as a property of every object is, and a record with too many is taken", (t) => {
  const type = [
    ["__proto__", "<i4"],
    ["constructor", "<i4"],
  ] as const;
  const record = Object.fromEntries([
    ["__proto__", 1],
    ["constructor", 2],
    ["more", 3],
  ]);
  const [read] = fromNested([record], type).toNested() as Record<string, number>[];
  t.deepEqual(Object.entries(read ?? {}), [
    ["__proto__", 1],
    ["constructor", 2],
  ]);
  t.throws(() => fromNested([{ constructor: 2 }], type), { instanceOf: TypeError, message: /lacks field "__proto__"/ });
});

test("bytes between the fields are not touched when a record is written", (t) => {
  const array = fromNested(
    [{ a: 1, b: 2 }],
    [
      ["a", "u1"],
      ["", "V3"],
      ["b", "<u4"],
    ],
  );
  t.deepEqual([...array.data], [1, 0, 0, 0, 2, 0, 0, 0]);
});
