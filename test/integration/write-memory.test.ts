import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
/** Node itself takes about 50 MB. */
const MAX_RSS_BYTES = 150e6;
/** Enough for what is kept to be seen; by hand NPYSTREAM_LARGE=1 writes 10 GiB of each kind, on a disk that has the room. */
const MEBIBYTES = process.env["NPYSTREAM_LARGE"] === "1" ? 10_240 : 384;

/** Looks at every chunk of the array that write-large-file.js makes, as it lies in the file. */
const CHECK = `
import sys, zipfile, numpy as np
path, chunks = sys.argv[1], int(sys.argv[2])
if path.endswith(".npy"):
    x = np.load(path, mmap_mode="r")
    assert x.shape == (chunks * 256, 1024) and x.dtype == "f4"
    assert (x[::256, 0] == np.arange(chunks)).all() and not x[1::256].any()
else:
    with zipfile.ZipFile(path) as archive, archive.open("rows.npy") as file:
        np.lib.format.read_magic(file)
        assert np.lib.format.read_array_header_1_0(file) == ((chunks * 256, 1024), False, np.dtype("f4"))
        rest = bytes(2**20 - 4)
        for number in range(chunks):
            chunk = file.read(2**20)
            assert np.frombuffer(chunk[:4], "f4")[0] == number and chunk[4:] == rest, number
        assert file.read() == b""  # which checks the CRC-32
`;

test.before("the packages are built", async () => {
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "packages/writer-stream"], {
    cwd: root,
  });
});

const isFlat = test.macro({
  title: (_, kind: string) => `memory stays under 150 MB however much is written: ${kind}`,
  async exec(t, kind: "npy" | "npz" | "deflated") {
    t.timeout(30 * 60_000);
    const folder = await mkdtemp(join(tmpdir(), "npystream-write-memory-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, kind === "npy" ? "rows.npy" : "rows.npz");
    const program = join(root, "test/integration/write-large-file.js");
    const { stdout } = await run(process.execPath, [program, kind, file, `${MEBIBYTES}`]);
    const { rows, peakRssBytes, seconds } = JSON.parse(stdout);
    t.is(rows, MEBIBYTES * 256);
    t.true(peakRssBytes > 30e6 && peakRssBytes < MAX_RSS_BYTES, `${Math.round(peakRssBytes / 1e6)} MB`);
    t.log(`${kind}: ${MEBIBYTES} MiB in ${seconds.toFixed(1)} s, peak RSS ${Math.round(peakRssBytes / 1e6)} MB`);
    await run("python3", ["-c", CHECK, file, `${MEBIBYTES}`]);
  },
});
test.serial(isFlat, "npy");
test.serial(isFlat, "npz");
test.serial(isFlat, "deflated");
