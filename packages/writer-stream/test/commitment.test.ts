import test from "ava";
import { Commitment } from "../src/commitment.ts";
import { DurableFile, type OpenFile } from "../src/durable-file.ts";

/** A commitment of a file that nothing is written to, and what is done to it. */
function begin(publish: (commitment: Commitment, calls: string[]) => Promise<void>): {
  readonly commitment: Commitment;
  readonly calls: string[];
} {
  const calls: string[] = [];
  const commitment: Commitment = new Commitment({
    path: "x.npy",
    file: new DurableFile({} as OpenFile, "x.npy"),
    publish: async () => {
      calls.push("publish");
      await publish(commitment, calls);
    },
    undo: async () => void calls.push("undo"),
  });
  return { commitment, calls };
}

test("a commit is made once, and what stands is not taken back", async (t) => {
  const { commitment, calls } = begin(async (own) => own.passed());
  await Promise.all([commitment.commit(), commitment.commit()]);
  await commitment.abort();
  t.deepEqual(calls, ["publish"]);
});

test("an abort is made once, and a commit after it fails before its last step", async (t) => {
  const { commitment, calls } = begin(async (own) => {
    own.checkNotAborted();
    own.passed();
  });
  await Promise.all([commitment.abort(), commitment.abort()]);
  await t.throwsAsync(commitment.commit(), { code: "ERR_WRITE_IO", message: /aborted/ });
  t.deepEqual(calls, ["undo", "publish"]);
});

test("an abort waits for a commit that is under way, and is too late where that stands", async (t) => {
  for (const stands of [true, false]) {
    const { commitment, calls } = begin(async (own, seen) => {
      await new Promise(setImmediate);
      if (stands) own.passed();
      await new Promise(setImmediate);
      seen.push("end");
      if (!stands) throw new Error("refused");
    });
    const committed = commitment.commit().then(
      () => true,
      () => false,
    );
    await commitment.abort();
    t.is(await committed, stands);
    t.deepEqual(calls, stands ? ["publish", "end"] : ["publish", "end", "undo"]);
  }
});

test("what fails behind the moment from which it stands is told, and nothing is taken back", async (t) => {
  const cause = Object.assign(new Error("no"), { code: "EIO" });
  const { commitment, calls } = begin(async (own) => {
    own.passed();
    throw cause;
  });
  const error = await t.throwsAsync(commitment.commit(), { code: "ERR_WRITE_IO" });
  t.like(error, { path: "x.npy", cause });
  t.deepEqual(calls, ["publish"]);
});
