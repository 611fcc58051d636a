import { createHash, randomBytes } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { DigestCache } from "../src/digest-cache.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";

test.after.always(removeFolders);

test("the digest is that of the whole content, and each version of a file is read once", async (t) => {
  const path = join(makeFolder(), "a");
  const content = randomBytes(3_000_001);
  await writeFile(path, content);
  const handle = await open(path);
  const cache = new DigestCache();
  const digest = createHash("sha256").update(content).digest("hex");
  t.is(await cache.of(handle, "1"), digest);
  await writeFile(path, "other");
  t.is(await cache.of(handle, "1"), digest, "it is not read again");
  t.is(await cache.of(handle, "2"), createHash("sha256").update("other").digest("hex"));
  await handle.close();
});
