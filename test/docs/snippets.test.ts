import test from "ava";
import { atPageLines, readScenarios, runnableCommands } from "./snippets.ts";

const PAGE = [
  "# First",
  "",
  "```ts",
  "export const a = 1;",
  "```",
  "",
  "## Second",
  "",
  "<!-- setup: shards -->",
  "",
  "```sh",
  "npm start",
  "```",
  "",
  "<!-- same folder -->",
  "```python",
  "import numpy",
  "```",
].join("\n");

test("each block is a scenario named after its page, heading and number", (t) => {
  t.deepEqual(
    readScenarios("README.md", PAGE).map(({ title }) => title),
    ['README.md, "First", block 1', 'README.md, "Second", block 1'],
  );
});

test("a block marked with the same folder joins the one before it", (t) => {
  const [, second] = readScenarios("README.md", PAGE);
  t.deepEqual(
    second?.snippets.map(({ language }) => language),
    ["sh", "python"],
  );
});

test("a setup is taken from the comment before the block and from no other place", (t) => {
  t.deepEqual(
    readScenarios("README.md", PAGE).map(({ setup }) => setup),
    [undefined, "shards"],
  );
});

test("a block marked as a file has its name, in a folder of its own or in that of the block before it", (t) => {
  const page = "<!-- file: a.py -->\n```python\n```\n<!-- same folder, file: b.mjs -->\n```ts\n```\n```sh\n```\n";
  t.deepEqual(
    readScenarios("README.md", page).map(({ snippets }) => snippets.map(({ file }) => file)),
    [["a.py", "b.mjs"], [undefined]],
  );
});

test("code keeps the line it has on its page", (t) => {
  const [first] = readScenarios("README.md", PAGE)[0]?.snippets ?? [];
  t.is(first && atPageLines(first).split("\n")[3], "export const a = 1;");
});

test("a block inside a list loses the list's indent", (t) => {
  const [scenario] = readScenarios("README.md", "- item\n\n  ```ts\n  let a = 1;\n    a += 1;\n  ```\n");
  t.is(scenario?.snippets[0]?.code, "let a = 1;\n  a += 1;");
});

test("a block without an end is an error that names its line", (t) => {
  t.throws(() => readScenarios("README.md", "text\n```ts\nlet a;\n"), { message: /README\.md:2/ });
});

test("of a sh block only the lines that call npystream are run, with continued lines joined", (t) => {
  const code = "npm install npystream\nnpystream inspect a.npy\nnpx npystream cat a.npy \\\n  --rows 0:2 | head -n 1\n";
  t.deepEqual(runnableCommands(code), ["npystream inspect a.npy", "npystream cat a.npy --rows 0:2 | head -n 1"]);
});
