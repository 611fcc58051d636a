import { PassThrough, Writable } from "node:stream";
import test from "ava";
import { OutputError, TextOutput } from "../src/text-output.ts";

test("short texts are gathered and written in order", async (t) => {
  const pieces: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      pieces.push(String(chunk));
      done();
    },
  });
  const output = new TextOutput(stream);
  for (let i = 0; i < 20_000; i++) await output.write(`${i} `);
  await output.flush();
  t.is(pieces.join(""), Array.from({ length: 20_000 }, (_, i) => `${i} `).join(""));
  t.true(pieces.length < 5);
});

test("nothing more is written before a slow stream has taken what it got", async (t) => {
  let waiting = 0;
  let most = 0;
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      setImmediate(() => {
        waiting--;
        done();
      });
    },
  });
  const output = new TextOutput(stream);
  for (let i = 0; i < 20; i++) {
    waiting++;
    most = Math.max(most, waiting);
    await output.write("x".repeat(1 << 16));
  }
  t.is(most, 1);
  t.is(stream.writableLength, 0);
});

test("a reader that went away is told from other failures", async (t) => {
  const failing = (code: string) =>
    new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) });
  const outcome = async (stream: Writable): Promise<OutputError | undefined> => {
    const output = new TextOutput(stream);
    await output.write("x");
    return await t.throwsAsync(output.flush(), { instanceOf: OutputError });
  };
  t.true((await outcome(failing("EPIPE")))?.isClosed);
  t.false((await outcome(failing("ENOSPC")))?.isClosed);
  const destroyed = new PassThrough();
  destroyed.destroy();
  t.true((await outcome(destroyed))?.isClosed);
});
