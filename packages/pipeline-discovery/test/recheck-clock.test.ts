import { nameTemplate } from "@npystream/codec";
import test from "ava";
import { RecheckClock } from "../src/recheck-clock.ts";
import { Candidate } from "../src/set-candidate.ts";
import { SetNames } from "../src/set-names.ts";
import { idleRoot } from "./helpers/idle-root.ts";

const names = new SetNames(nameTemplate("{key}.npy"), ["x"]);
const root = idleRoot("/in", names);

function skip(): void {
  // What is planned here is not waited for.
}

function candidate(): Candidate {
  const one = new Candidate(root, "a", names, 1);
  one.enter("waiting");
  return one;
}

test("many events of one file make one look", async (t) => {
  const clock = new RecheckClock({ firstMs: 60_000, longestMs: 60_000 });
  const one = candidate();
  let looks = 0;
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 100; i++) {
      clock.soon(one, () => {
        looks += 1;
        setImmediate(resolve);
      });
    }
  });
  t.is(looks, 1);
});

test("an event brings a look forward that was planned for later, and leaves one that comes sooner", (t) => {
  const clock = new RecheckClock({ firstMs: 60_000, longestMs: 60_000 });
  const one = candidate();
  clock.later(one, skip);
  t.true((one.dueAt ?? 0) > performance.now() + 50_000);
  clock.soon(one, skip);
  t.true((one.dueAt ?? Number.NaN) < performance.now() + 1000);
  one.lookedAt = performance.now() + 5000;
  const due = one.dueAt;
  clock.soon(one, skip);
  t.is(one.dueAt, due);
  one.enter("settled");
  t.is(one.dueAt, undefined);
  t.is(one.timer, undefined);
});

test("looks that nothing calls for come less and less often, until something happens", (t) => {
  const clock = new RecheckClock({ firstMs: 100, longestMs: 350 });
  const one = candidate();
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    clock.later(one, skip);
    waits.push(one.backoffMs);
  }
  clock.soon(one, skip);
  clock.later(one, skip);
  waits.push(one.backoffMs);
  one.enter("settled");
  t.deepEqual(waits, [100, 200, 350, 350, 100]);
});
