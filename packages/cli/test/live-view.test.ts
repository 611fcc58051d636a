import { Writable } from "node:stream";
import test from "ava";
import { cutToWidth, LiveView } from "../src/live-view.ts";
import { TextOutput } from "../src/text-output.ts";

/** Applies what a view writes to rows of a terminal, which knows only what a view uses. */
class Screen extends Writable {
  readonly rows: string[] = [""];
  columns = 20;

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    const [plain = "", ...rest] = chunk.toString().split("\x1b[");
    for (const character of plain) this.#put(character);
    for (const part of rest) {
      const [, up, command = "", text = ""] = /^(\d*)([AJ])(.*)$/s.exec(part) ?? [];
      if (command === "A") this.rows.splice(this.rows.length - 1 - Number(up), Number(up));
      for (const character of text) this.#put(character);
    }
    done();
  }

  #put(character: string): void {
    const last = this.rows.length - 1;
    if (character === "\r") return;
    if (character === "\n") this.rows.push("");
    else if ((this.rows[last]?.length ?? 0) >= this.columns) this.rows.push(character);
    else this.rows[last] += character;
  }
}

test("what is printed stays above the lines that are painted anew", async (t) => {
  const screen = new Screen();
  const output = new TextOutput(screen);
  let lines = ["one"];
  const view = new LiveView({ output, columns: () => screen.columns, render: () => lines });
  const print = (text: string): Promise<void> => view.print(() => output.write(`${text}\n`));
  await print("first");
  t.deepEqual(screen.rows, ["first", "one", ""]);
  lines = ["two", "three"];
  await print("second");
  t.deepEqual(screen.rows, ["first", "second", "two", "three", ""]);
  lines = ["last"];
  await view.stop();
  t.deepEqual(screen.rows, ["first", "second", "last", ""]);
});

test("prints that come at once do not mix", async (t) => {
  const screen = new Screen();
  const output = new TextOutput(screen);
  const view = new LiveView({ output, columns: () => screen.columns, render: () => ["view"] });
  const words = ["a", "b", "c", "d"];
  await Promise.all(
    words.map((word) =>
      view.print(async () => {
        await output.write(word);
        await output.flush();
        await output.write(`${word}\n`);
      }),
    ),
  );
  await view.stop();
  t.deepEqual(screen.rows, ["aa", "bb", "cc", "dd", "view", ""]);
});

test("a view is taken away whole after the terminal has become narrower", async (t) => {
  const screen = new Screen();
  const output = new TextOutput(screen);
  const view = new LiveView({ output, columns: () => screen.columns, render: () => ["abcdefghijklmnop"] });
  await view.print(() => output.write("above\n"));
  // What a terminal does of itself.
  screen.columns = 10;
  screen.rows.splice(1, 1, "abcdefghij", "klmnop");
  await view.print(() => output.write("below\n"));
  await view.stop();
  t.deepEqual(screen.rows, ["above", "below", "abcdefgh…", ""]);
});

test("an output that takes nothing more is told to who prints", async (t) => {
  const closed = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error("gone"), { code: "EPIPE" })),
  });
  const output = new TextOutput(closed);
  const view = new LiveView({ output, columns: () => 80, render: () => ["view"] });
  await t.throwsAsync(
    view.print(() => output.write("text\n")),
    { name: "OutputError" },
  );
  await view.stop().catch(() => undefined);
});

test("lines are cut to the width that they are shown with", (t) => {
  t.is(cutToWidth("abcdef", 6), "abcdef");
  t.is(cutToWidth("abcdef", 5), "abcd…");
  t.is(cutToWidth("日本語", 6), "日本語");
  t.is(cutToWidth("日本語", 5), "日本…");
  t.is(cutToWidth("e\u0301e\u0301e\u0301", 3), "e\u0301e\u0301e\u0301");
});
