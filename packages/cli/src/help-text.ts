/** What `npystream --help` ends with. */
export const PROGRAM_HELP = `
Examples:
  $ npystream inspect features.npy set.npz
  $ npystream cat set.npz#labels --rows -5: --json
  $ npystream verify *.npz
  $ npystream convert features.npy set.npz --compress

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
