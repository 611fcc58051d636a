import promises, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname } from "node:path";

/** One thing that was done to the files of a folder. */
export interface FileCall {
  /** `write`, `truncate`, `sync`, `datasync`, `link`, `rename`, `copyFile`, `rm`. */
  readonly call: string;
  /** Name of the file as it was when the call came; `.` is the folder. Of a partial, the name that it is to get and `.partial`. */
  readonly file: string;
  /** Position of a write, or the new name. */
  readonly to?: number | string;
}

const HANDLE_CALLS = ["write", "truncate", "sync", "datasync"] as const;
const PATH_CALLS = ["link", "rename", "copyFile", "rm"] as const;

/**
 * Writes down, in their order, the calls to the system that change files in `folder` or flush them, until `stop`. The
 * real ones are made, and each stands in the list once it has come back: one that began later does not stand before one
 * that it waited for. Of everything that a module imports from `node:fs/promises`, so one test at a time may do so.
 */
export function recordFileCalls(folder: string): { readonly calls: FileCall[]; stop(): void } {
  const calls: FileCall[] = [];
  const names = new Map<FileHandle, string>();
  const undo: (() => void)[] = [];
  const nameOf = (path: unknown): string | undefined => {
    if (path === folder) return ".";
    if (typeof path !== "string" || dirname(path) !== folder) return undefined;
    return basename(path).replace(/^\.(.+)\.[^.]+\.partial$/, "$1.partial");
  };
  const note = (call: string, file: string | undefined, to?: number | string): void => {
    if (file !== undefined) calls.push({ call, file, ...(to === undefined ? {} : { to }) });
  };
  const replace = (object: object, name: string, wrap: (real: (...args: unknown[]) => unknown) => unknown): void => {
    const real = Reflect.get(object, name) as (...args: unknown[]) => unknown;
    Reflect.set(object, name, wrap(real));
    undo.push(() => Reflect.set(object, name, real));
  };
  const watchHandles = (prototype: object): void => {
    for (const call of HANDLE_CALLS) {
      replace(
        prototype,
        call,
        (real) =>
          async function (this: FileHandle, ...args: unknown[]) {
            const result = await real.apply(this, args);
            note(call, names.get(this), call === "write" ? Number(args[3]) : undefined);
            return result;
          },
      );
    }
  };
  let isWatching = false;
  replace(promises, "open", (real) => async (...args: unknown[]) => {
    const handle = (await real(...args)) as FileHandle;
    if (!isWatching) watchHandles(Object.getPrototypeOf(handle));
    isWatching = true;
    const name = nameOf(args[0]);
    if (name !== undefined) names.set(handle, name);
    return handle;
  });
  for (const call of PATH_CALLS) {
    replace(promises, call, (real) => async (...args: unknown[]) => {
      const result = await real(...args);
      const to = call === "rm" ? undefined : nameOf(args[1]);
      note(call, nameOf(args[0]), to);
      return result;
    });
  }
  syncBuiltinESMExports();
  return {
    calls,
    stop: () => {
      for (const restore of undo.toReversed()) restore();
      syncBuiltinESMExports();
    },
  };
}
