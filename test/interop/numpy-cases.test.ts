import { rmSync } from "node:fs";
import test from "ava";
import { readText } from "../package/workspace.ts";
import { makeNumpyCases } from "./numpy-cases.ts";

const { cases, folder } = makeNumpyCases();
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** Classes of test_io.py of which each test is named; of the others the class is enough. */
const NAMED_CLASSES = ["RoundtripTest", "TestSaveLoad", "TestSavezLoad", "TestPathUsage"];

const page = readText("test/interop/numpy-cases.md");
const rows = page.split("\n").filter((line) => line.startsWith("| "));
const namesOfRows = new Set(rows.flatMap((row) => cell(row, 0).split(", ")));
const citations = rows.flatMap((row) =>
  [...cell(row, 2).matchAll(/`([a-z-]+\.test\.ts)`: ([^<]*)/g)].map(([, file = "", cited = ""]) => ({ file, cited })),
);

function cell(row: string, index: number): string {
  return row.split(" | ")[index]?.replace(/^\| | \|$/g, "") ?? "";
}

test("every test of the installed NumPy that is about .npy or .npz is a row of the page", (t) => {
  const groups = Object.entries(cases.tests);
  if (groups.length === 0) t.log(`NumPy ${cases.numpy} came without its tests`);
  const missing: string[] = [];
  for (const [group, names] of groups) {
    const [, className] = group.split("::");
    if (className === undefined) missing.push(...names.filter((name) => !namesOfRows.has(name)));
    else if (!NAMED_CLASSES.includes(className)) {
      if (names.length > 0 && !namesOfRows.has(className)) missing.push(className);
    } else missing.push(...names.map((name) => `${className}.${name}`).filter((name) => !namesOfRows.has(name)));
  }
  t.deepEqual(missing, []);
  t.true(namesOfRows.size > 55, `${namesOfRows.size} names`);
});

test("every row names a test of ours or says why there is none", (t) => {
  const bare = rows.filter((row) => row.split(" | ").length === 3 && !/`: |not applicable: |\| ours \|/.test(row));
  t.deepEqual(bare, []);
});

test("every test that the page names exists in the file that it names", (t) => {
  const sources = new Map(
    [...new Set(citations.map(({ file }) => file))].map((file) => [file, readText(`test/interop/${file}`)]),
  );
  // What follows a full stop is a remark.
  const unknown = citations.filter(({ file, cited }) => {
    const title =
      cited
        .split(/\. [A-Z]/)[0]
        ?.replace(/ \|$/, "")
        .trim() ?? "";
    return title === "" || !sources.get(file)?.includes(title);
  });
  t.deepEqual(unknown, []);
  t.true(citations.length > 60, `${citations.length} citations`);
});
