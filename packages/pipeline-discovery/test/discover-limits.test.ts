import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { ChildProgram, succeeds } from "./helpers/child-program.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { PythonProducer } from "./helpers/python-producer.ts";

const python = new PythonProducer();
/** The limit of a user namespace holds for what is in it alone. */
const FEW_WATCHES = ["unshare", "-Ur", "sh", "-c", 'echo 50 > /proc/sys/user/max_inotify_watches && exec "$@"', "sh"];
/** A disk of 6 MB that is gone with whoever uses it. */
const SMALL_DISK = (folder: string) => [
  "unshare",
  "-Urm",
  "sh",
  "-c",
  `mount -t tmpfs -o size=6m tmpfs ${folder} && exec "$@"`,
  "sh",
];

test.after.always(async () => {
  await python[Symbol.asyncDispose]();
  removeFolders();
});

test("with 50 inotify watches for 200 folders there is one warning, and every set is found once", async (t) => {
  t.timeout(120_000);
  if (!succeeds([...FEW_WATCHES, "true"])) {
    t.log("SKIPPED: no user namespace with a limit of its own can be had here");
    t.pass();
    return;
  }
  const root = makeFolder();
  await python.run(`
for i in range(200):
    os.makedirs(f"${root}/{i:03}")
    pair(f"${root}/{i:03}", "old")`);
  // Only the sweeps that follow the warning find anything in time.
  const parameters = [root, "{folder}/{key}.{role}.npy", "450", "600000"];
  await using child = new ChildProgram("discover-program.ts", parameters, FEW_WATCHES);
  await child.waitFor("set", 200);
  await python.run(`
for i in range(200): pair(f"${root}/{i:03}", "new")
for i in range(200, 250):
    os.makedirs(f"${root}/{i:03}")
    pair(f"${root}/{i:03}", "new")`);
  await child.waitFor("set", 450);
  t.is(await child.end(), 0);
  t.is(new Set(child.said("set")).size, 450);
  t.deepEqual(child.said("warn"), [
    "the system has no more inotify watches to give; what happens there is found by sweeps",
  ]);
});

test("a disk of 6 MB that is full under ledger and results delivers nothing meanwhile, and loses nothing", async (t) => {
  t.timeout(120_000);
  const disk = makeFolder();
  if (!succeeds([...SMALL_DISK(disk), "true"])) {
    t.log("SKIPPED: no disk can be mounted here");
    t.pass();
    return;
  }
  const [root, results] = [makeFolder(), makeFolder()];
  const sets = 30;
  await python.run(`for i in range(${sets}): pair("${root}", i, 5_000)`);
  await using child = new ChildProgram("full-disk-program.ts", [root, disk, results], SMALL_DISK(disk));
  t.is(await child.end(), 0);
  const [said] = child.lines;
  t.like(said, { done: sets, failed: 0, released: 0, doneWhileFull: 0, repeated: 0 });
  t.like(said?.["ledger"], { done: sets, ready: 0, claimed: 0, failed: 0, quarantined: 0 });
  t.true(Number(said?.["noRoomForResults"]) > 0);
  t.true(Number(said?.["stuckWarnings"]) > 0);
  await python.run(`
names = os.listdir("${results}")
assert sorted(names) == sorted(f"{i}.doubled.npy" for i in range(${sets})), names
for name in names:
    assert (np.load(f"${results}/{name}") == features(5_000) * 2).all(), name`);
});

test("files and folders that may not be read are told of, hold up nothing else, and come when they may be", async (t) => {
  t.timeout(60_000);
  const root = makeFolder();
  await chmod(root, 0o755);
  const locked = join(root, "locked");
  await mkdir(locked);
  await python.run(`
for key in ("a", "b", "locked/c"): pair("${root}", key)`);
  await chmod(join(root, "b.features.npy"), 0);
  await chmod(locked, 0);
  // Root may read everything.
  const user = process.getuid?.() === 0 ? ["65534"] : [];
  const parameters = [root, "{...rest}/{key}.{role}.npy", "4", "100", ...user];
  await using child = new ChildProgram("discover-program.ts", parameters);
  await child.waitFor("report", 1);
  await python.run(`pair("${root}", "d")`);
  await child.waitFor("set", 2);
  t.deepEqual(child.said("set"), ["a", "d"]);
  t.regex(String(child.said("report")[0]), /^b: features: it cannot be read: EACCES/);
  await chmod(join(root, "b.features.npy"), 0o644);
  await child.waitFor("set", 3);
  await chmod(locked, 0o755);
  t.is(await child.end(), 0);
  t.deepEqual(child.said("set"), ["a", "d", "b", "locked/c"]);
  t.deepEqual(child.said("quarantined"), []);
  t.is(child.said("warn").filter((warning) => warning === "a folder cannot be listed; it is tried again").length, 1);
});
