/** What `npystream --help` ends with. */
export const PROGRAM_HELP = `
Examples:
  $ npystream inspect features.npy set.npz
  $ npystream cat set.npz#labels --rows -5: --json
  $ npystream verify *.npz
  $ npystream convert features.npy set.npz --compress
  $ npystream watch incoming --names '{key}.{role}.npy' --roles features,labels

A member of an archive is written file.npz#member; - reads stdin. A file is told
by its content, not by its name.

Exit codes: 0 done; 1 a file or the run failed, with a line on stderr,
"error CODE path[#member]: message" (verify prints it as its result, on stdout);
2 wrong use.`;

/** What `npystream inspect --help` ends with. */
export const INSPECT_HELP = `
Examples:
  $ npystream inspect features.npy
  $ npystream inspect set.npz#labels
  $ npystream inspect --json *.npy
  $ curl -s https://example.org/features.npy | npystream inspect -

"data offset" counts from the start of the array's own .npy. "alignment" is the
largest power of two, up to 4096, that divides the position of a stored member's
data in the file: from 64 on it suits memory mapping.

--json prints {"path", "kind": "npy" or "npz", "arrays": [{"member" in an npz,
"descr", "dtype", "shape", "order", "version", "dataOffset", "byteLength"}]}.

Every file and member gets its turn, also after one that fails.`;

/** What `npystream cat --help` ends with. */
export const CAT_HELP = `
Examples:
  $ npystream cat features.npy
  $ npystream cat features.npy --rows 0:10
  $ npystream cat set.npz#labels --rows -5: --json
  $ npystream cat features.npy --csv > features.csv
  $ npystream cat features.npy --ndjson | head -n 3
  $ npystream cat - < features.npy

Without a format:
  on a terminal  a summary line and what NumPy's print() shows: of an array of
                 more than 1000 values the first and last 3 along each axis
  otherwise      every value in columns, a line a row, planes apart by an empty
                 line; to look at all of an array, pipe it into less

Formats, each with every value in C index order:
  --json    {"dtype", "shape", "order", "values": nested lists}; of an .npz
            without #member an object of these by member
  --ndjson  a line a row: a value, a list or nested lists
  --csv     a line a row, axes past the second flattened; records: names first

Integers of 64 bits are decimal strings in JSON. Floats have all digits of their
value; NaN and infinities are "NaN", "Infinity" and "-Infinity". Complex numbers
are [re, im] in JSON and 1.0+2.0j elsewhere.

--rows takes Python's bounds: negative ones count from the end, those outside
are clipped. It applies to every array of an .npz.`;

/** What `npystream verify --help` ends with. */
export const VERIFY_HELP = `
Examples:
  $ npystream verify features.npy set.npz
  $ npystream verify *.npz | grep -v ^ok
  $ npystream verify --strict features.npy
  $ curl -s https://example.org/set.npz | npystream verify -

Prints, on stdout:
  ok features.npy float32 (1000, 64)
  ok set.npz 3 arrays
  bad ERR_NPZ_CRC set.npz#labels: message

An archive has a line for each member that is bad; the others are read too. Of
every member, array or not, are checked: its header in front against the
directory, its sizes, its CRC-32. A .npy has no checksum: header and size are
checked, and that all of it can be read. Memory does not grow with the file.

Bytes behind the array of a .npy are ok, since NumPy passes over them, and are
counted in the line; with --strict they are ERR_NPY_TRAILING.

--json prints {"path", "ok": true} with "trailingBytes" where there are any, or
{"path", "ok": false, "code", "message", "member" in an npz}.

A file that cannot be opened is bad with the system's code, as ENOENT.`;

/** What `npystream convert --help` ends with. */
export const CONVERT_HELP = `
Examples:
  $ npystream convert features.npy features.npz --compress
  $ npystream convert set.npz#labels labels.csv
  $ npystream convert set.npz aligned.npz --align page
  $ npystream convert table.csv table.npy --dtype float32 --rows 1:
  $ npystream convert - first.npy --rows :1000 < features.npy

IN is told by its content; .csv and .ndjson by their extension. OUT stays as it
was until all is written, and is not replaced without --overwrite.

  .npy     one array; of an .npz with several name one, as set.npz#labels
  .npz     every array of an .npz, or one, named as in IN, as IN's file, or by
           OUT, as set.npz#labels
  .csv     a row a line, axes past the second flattened; records: names first
  .ndjson  a row a line, as JSON

Arrays are written in C order. Members of an .npz that are no arrays are left
out, and told of. Text is read as npystream cat writes it, as float64 unless
--dtype says otherwise: booleans, integers, floats, complex numbers, timedelta
counts, S and U text. One value a line makes an array of one axis. Lines that
--rows leaves out are not looked at, so --rows 1: skips a line of names.

--dtype takes NumPy's names. Nothing is wrapped: a value that the type cannot
hold is ERR_CAST_RANGE.

--json prints {"path", "kind", "arrays": [{"member" in an npz, "dtype",
"shape"}], "byteLength", "leftOut" where members are}.`;

/** What `npystream stats --help` ends with. */
export const STATS_HELP = `
Examples:
  $ npystream stats features.npy
  $ npystream stats set.npz#labels --json
  $ npystream stats images.npy --columns last-axis

A column is an element of a row; of an array of one axis there is one. With
--columns last-axis it is an entry of the last axis, as the channels of images
are. count is of finite values, and so are the other numbers; std divides by it,
as np.std does; nan/inf counts the rest. "-" stands where there is no finite
value. The array is read once and memory does not grow with its rows.

On a terminal, or with --histogram, the array is read a second time for a
histogram of each column: 20 ranges of equal width from its min to its max, the
fullest at full height. Of more than 100 columns such a table lists the first and
the last 20.

--json prints {"path", "member" in an npz, "dtype", "shape", "count", "mean",
"std", "min", "max", "nonFinite"}, a line an array, each number a list by column;
min and max are null where there is no finite value.`;

/** What `npystream watch --help` ends with. */
export const WATCH_HELP = `
Examples:
  $ npystream watch incoming --names '{key}.{role}.npy' --roles features,labels
  $ npystream watch incoming --names '{key}.npz' --roles x,y --once --json
  $ npystream watch incoming --names '{key}.{role}.npy' --roles features,labels \\
      --ledger state/ledger.db --concurrency 2 --timeout 10m \\
      --exec 'python3 train.py "$NPYSTREAM_FEATURES" "$NPYSTREAM_LABELS"'

A set is delivered once all of its files are complete: as long as their headers
say. --contract says what they must hold, as JSON or as a file of it:
  {"features": {"dtype": "float32", "shape": ["N", 64]}, "labels": {"shape": ["N"]}}
A set that does not fit is quarantined. Without --ledger what was done is
forgotten when the command ends, and delivered again by the next one.

Without --exec each set is a line, and done once that is written.

--exec runs a command in the system's shell (/bin/sh, or %ComSpec%) for each
set. Names of files never become part of its text; it finds them in its
environment, so put "$NPYSTREAM_KEY" in quotes:
  NPYSTREAM_KEY           names the set
  NPYSTREAM_<ROLE>        path of each array, file.npz#member in an archive
  NPYSTREAM_FIELD_<NAME>  each field of the files' names
  NPYSTREAM_ATTEMPT       1, 2, ...
Letters are upper case, and _ stands for all but letters and digits. Its stdin is
empty; what it prints goes to stderr, each line behind "KEY: ". Exit code 0 is
done. Any other is a failed attempt, tried again after about 1, 2, 4, ... seconds
up to --attempts; then the set is told of as quarantined, and is failed in the
ledger. 126 and 127, with which a shell says that it cannot run a command at all,
end the run instead. A command may run
twice for a set where the process was killed: let it write to another name and
rename.

Ctrl-C, SIGTERM or SIGHUP: nothing more is begun, and commands have --drain-ms to
end; a second signal ends them now. A command that has to end, also by --timeout,
is sent SIGTERM, and SIGKILL half a second later. Its set is delivered again.

On a terminal there are counts that are kept up to date. Elsewhere, or with
--json, each event is a line of JSON:
  {"event": "set", "key", "fields", "arrays": {ROLE: {"path", "member" in an npz,
   "dtype", "shape"}}}
  {"event": "done", "key", "rows", "attempt", "ms"}          with --exec
  {"event": "failed", "key", "attempt", "code", "message"}   an attempt
  {"event": "quarantined", "key", "code", "message", "paths"}
  {"event": "incomplete", "key", "message", "missing", "paths"}
  {"event": "changed" or "released", "key"}                  delivered again

--queue publishes sets instead for npystream work, which see.

Exit codes: 0 done, or stopped by a signal; 1 the run failed, or with --once a set
is quarantined, no array is named as --names and --roles say, or a signal came; 2
wrong use. Sets of which files are missing do not count.`;

/** What `npystream work --help` ends with. */
export const WORK_HELP = `
Examples:
  $ npystream watch incoming --names '{key}.{role}.npy' --roles features,labels \\
      --queue redis://queue-host:6379
  $ npystream work --queue redis://queue-host:6379 --root in=/mnt/incoming \\
      --exec 'python3 train.py "$NPYSTREAM_FEATURES" "$NPYSTREAM_LABELS"'

Runs until it is stopped, on any machine that sees the files; any number of
workers share a queue. What is in the queue is names of files and no data, so each
worker says where it has the folder. The command is run as by npystream watch
--exec, which has its help. After the last attempt the set is quarantined, which
npystream watch tells of.

The queue is BullMQ's, which is installed beside this package:
  npm install --global npystream bullmq ioredis     for Redis
  npm install --global npystream bullmq pg          for PostgreSQL
Redis has to keep what it is told: redis-server --appendonly yes
--maxmemory-policy noeviction; any other is ERR_QUEUE_VOLATILE.`;

/** What `npystream ledger --help` ends with. */
export const LEDGER_HELP = `
Examples:
  $ npystream ledger state/ledger.db list --state failed,quarantined
  $ npystream ledger state/ledger.db requeue --state failed
  $ npystream ledger state/ledger.db forget --key 2026-01-01
  $ npystream ledger state/ledger.db prune --older-than 30d

Actions:
  list     prints the sets; also while another process uses the ledger
  requeue  has sets delivered again when they are found the next time
  forget   removes sets, as if they had never been found
  prune    removes sets that cannot come again: those without files, and states
           of files that later ones took the place of

requeue and forget need --state, --key, --pipeline or --id, or --all; a --key or
--id that no set has is wrong use. A ledger that another process uses is
ERR_LEDGER_LOCKED: stop that first. Its lock is the file beside it, whose name ends
in -lock; it stays, is empty, and may be deleted when nobody uses the ledger.

States: pending (put back), ready, claimed (taken), done, failed (by its command or
stage), quarantined (does not fit).

list --json prints an entry a line: {"id", "pipeline", "key", "root",
"generation", "state", "deliveries", "fields", "files": [{"role", "path"}],
"reason", "createdAt", "updatedAt"}; the others {"path", "action", "sets"}.`;
