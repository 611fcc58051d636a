import { fileURLToPath } from "node:url";
import { isHttpUrl } from "./http-options.ts";
import { kindOf } from "./value-kind.ts";

/** What says of a URL of a web server that it is no file. */
export const NOT_MAPPED = "an http: or https: URL cannot be mapped: openNpy and openNpz read it by ranges";

/**
 * Path of a file on this machine that a path or a `file:` URL, as text or object, names.
 *
 * @param ofHttp - What to say of a URL of a web server.
 * @throws TypeError for another URL, and for what is none.
 */
export function localPath(file: string | URL, ofHttp: string): string {
  if (typeof file !== "string" && !(file instanceof URL)) {
    throw new TypeError(`expected a path or a file: URL, not ${kindOf(file)}`);
  }
  const text = String(file);
  if (isHttpUrl(text)) throw new TypeError(ofHttp);
  if (file instanceof URL && file.protocol !== "file:")
    throw new TypeError(`expected a file: URL, not ${file.protocol}`);
  return isFileUrl(text) ? fileURLToPath(text) : text;
}

/** Tells whether a text is a `file:` URL, as `import.meta.resolve` gives them. */
export function isFileUrl(text: string): boolean {
  return /^file:\/\//i.test(text);
}
