/** Longest name of a file or folder in bytes, on every common file system. */
const MAX_SEGMENT_BYTES = 255;
/** Longest path in bytes, PATH_MAX of Linux. */
const MAX_PATH_BYTES = 4096;

/** Names of letters, digits, `_`, `+`, `=`, `-` and dots between them, as nearly all are: nothing else speaks against these. */
const PLAIN_SEGMENT = /^[\w+=-]+(?:\.[\w+=-]+)*$/;
/** Device names of Windows, which no folder there can hold, whatever spaces and extension follow. */
const DEVICE_NAME =
  /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)/i;
/** NUL and the other control characters, the separator of Windows, and halves of surrogate pairs. */
const UNSAFE_CHARACTER = /[\p{Cc}\\\p{Cs}]/u;

/** Tells whether a relative path with `/` between folders may be used on every system, and leaves its folder on none. */
export function isSafePath(path: string): boolean {
  return safeSegments(path) !== null;
}

/** The folders and the file that a path names, where it is a safe one; `null` where not. */
export function safeSegments(path: string): string[] | null {
  const segments = path.split("/");
  return fitsBytes(path, MAX_PATH_BYTES) && segments.every(isSafeSegment) ? segments : null;
}

/** Tells whether text may be the name of a file or folder on every system. */
export function isSafeSegment(segment: string): boolean {
  return (
    (PLAIN_SEGMENT.test(segment) || hasSafeCharacters(segment)) &&
    !DEVICE_NAME.test(segment) &&
    fitsBytes(segment, MAX_SEGMENT_BYTES)
  );
}

function hasSafeCharacters(segment: string): boolean {
  return (
    segment !== "" &&
    // Also `.` and `..`: Windows drops dots and spaces at the end of a name.
    !segment.endsWith(".") &&
    !segment.endsWith(" ") &&
    !/^[a-z]:/i.test(segment) &&
    !UNSAFE_CHARACTER.test(segment)
  );
}

/** Whether text is at most `limit` bytes of UTF-8; a UTF-16 unit is at most 3, so most text need not be encoded. */
function fitsBytes(text: string, limit: number): boolean {
  return text.length * 3 <= limit || byteLength(text) <= limit;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
