/** When the file of a {@link Producer} is to be delivered. */
export type Arrival =
  /** With its last byte or its name: no waiting decides. */
  | "at once"
  /** When it has the last byte and was not changed for the time to settle. */
  | "when it has settled"
  /** When it has the last byte; it may have to settle. */
  | "when filled"
  /** Whole after each step, as a new generation. */
  | "after each step"
  /** Before its last byte, which no look at it can tell, and again when it is whole. */
  | "too early";

/** One way to write an array to `path`. */
export interface Producer {
  readonly kind: string;
  readonly arrives: Arrival;
  readonly suffix: ".npy" | ".npz";
  /** Python code; behind each step but the last, a file that comes too early or each step is waited for. */
  readonly steps: readonly string[];
}

/**
 * What the steps have at hand: `path`, `array` of 600 rows, `data`, the bytes of its `.npy`, and `last()`, to be called before
 * what makes the file whole.
 */
export const PRODUCER_TOOLS = `
import subprocess, tempfile

def last():
    global last_ns
    last_ns = time.monotonic_ns()

def put(path, data, cuts=(), pause=0.03, mode="wb", at=0):
    "Writes data in pieces that end at the cuts, without a buffer"
    with open(path, mode, buffering=0) as file:
        file.seek(at)
        edges = [0, *cuts, len(data)]
        for begin, end in zip(edges, edges[1:]):
            if end == len(data): last()
            file.write(data[begin:end])
            if end < len(data): time.sleep(pause)

def beside(path, name):
    return os.path.join(os.path.dirname(path), name)

def reserve(path, data):
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(file, 0, len(data))
    os.close(file)

def map_part(path, array, begin, end):
    "Fills rows of a mapping, of which the file system tells nobody"
    rows = np.lib.format.open_memmap(path, "r+")
    rows[begin:end] = array[begin:end]
    rows.flush()

def map_new(path, array):
    del_me = np.lib.format.open_memmap(path, "w+", array.dtype, array.shape)
    del_me.flush()

def append(path, rows):
    "Adds rows and then says so in the header, as those do who keep one growing file"
    whole = saved(features(rows))
    header = len(whole) - rows * 16
    done = max(os.path.getsize(path) if os.path.exists(path) else 0, header)
    with open(path, "r+b" if os.path.exists(path) else "wb", buffering=0) as file:
        file.seek(done)
        file.write(whole[done:])
        last()
        file.seek(0)
        file.write(whole[:header])
`;

const list: readonly (readonly [kind: string, arrives: Arrival, ...steps: string[]])[] = [
  ["np.save", "at once", "array = features(200_000); last(); np.save(path, array)"],
  ["np.savez", "at once", "last(); np.savez(path, x=array)"],
  ["np.savez_compressed", "at once", "last(); np.savez_compressed(path, x=array)"],
  ["a slow writer", "at once", "put(path, data, range(500, 9500, 500), 0.01)"],
  ["a writer that stalls in the header", "at once", "put(path, data, [5, 64, 127], 0.1)"],
  ["a writer that stalls one byte before the end", "at once", "put(path, data, [len(data) - 1], 0.3)"],
  ["a writer of a byte at a time", "at once", "data = saved(features(60)); put(path, data, range(1, len(data)), 0)"],
  [
    "a rename from an unfinished name",
    "at once",
    "put(path + '.tmp', data, [4000]); last(); os.rename(path + '.tmp', path)",
  ],
  [
    "a rename from a hidden name, as rsync does",
    "at once",
    "hidden = beside(path, '.a.npy.Yx3k9Q'); put(hidden, data, [4000]); last(); os.rename(hidden, path)",
  ],
  [
    "a hard link",
    "at once",
    "put(path + '.part', data, [4000]); last(); os.link(path + '.part', path); os.unlink(path + '.part')",
  ],
  [
    "mv from another disk",
    "at once",
    `
other = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
put(other + "/a", data)
last()
subprocess.run(["mv", other + "/a", path], check=True)
os.rmdir(other)`,
  ],
  [
    "cp",
    "at once",
    "put(path + '.tmp', data); last(); subprocess.run(['cp', path + '.tmp', path], check=True); os.unlink(path + '.tmp')",
  ],
  [
    "cp -p of a file from 1970",
    "at once",
    `
put(path + ".tmp", data)
os.utime(path + ".tmp", (0, 0))
last()
subprocess.run(["cp", "-p", path + ".tmp", path], check=True)
os.unlink(path + ".tmp")`,
  ],
  [
    "a file that is extended first and written from the start, as rsync --inplace does",
    "at once",
    "open(path, 'wb').truncate(len(data)); time.sleep(0.1); put(path, data, [128, 4000], 0.1, 'r+b')",
  ],
  [
    "the data first and the header last",
    "at once",
    "put(path, data[128:], at=128); time.sleep(0.2); put(path, data[:128], mode='r+b')",
  ],
  [
    "open_memmap that is filled soon",
    "when filled",
    "map_new(path, array); map_part(path, array, 0, 300); time.sleep(0.05); last(); map_part(path, array, 300, 600)",
  ],
  [
    "open_memmap that is filled later",
    "too early",
    "map_new(path, array); map_part(path, array, 0, 300)",
    "last(); map_part(path, array, 300, 600)",
  ],
  [
    "fallocate and writing soon",
    "at once",
    "reserve(path, data); time.sleep(0.1); put(path, data, [128, 4000], 0.1, 'r+b')",
  ],
  [
    "fallocate and writing later",
    "too early",
    "reserve(path, data); put(path, data[:4000], mode='r+b')",
    "put(path, data[4000:], mode='r+b', at=4000)",
  ],
  ["rows appended in place", "after each step", "append(path, 200)", "append(path, 400)", "append(path, 600)"],
  ["an array whose end is zeros", "when it has settled", "array[-256:] = 0; put(path, saved(array))"],
];

/** The ways in which Python programs write arrays, each of which is its own trouble. */
export const producers: readonly Producer[] = list.map(([kind, arrives, ...steps]) => {
  return { kind, arrives, suffix: kind.startsWith("np.savez") ? ".npz" : ".npy", steps };
});
