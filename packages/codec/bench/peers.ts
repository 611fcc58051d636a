import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** What is used of npyjs, all of it `parse`. */
export interface Npyjs {
  /** Decodes a `.npy`; float16 to a `Float32Array`. */
  parse(buffer: ArrayBuffer): { readonly data: ArrayBufferView; readonly shape: number[] };
}

/** What is used of an array of numpy-ts. */
export interface NumpyTsArray {
  readonly data: ArrayBufferView;
  astype(dtype: string): NumpyTsArray;
  byteswap(inPlace: boolean): NumpyTsArray;
}

/** What is used of numpy-ts. */
export interface NumpyTs {
  parseNpy(bytes: Uint8Array): NumpyTsArray;
  parseNpyHeader(bytes: Uint8Array): { readonly header: { readonly shape: number[] } };
  loadNpz(bytes: Uint8Array): Promise<Record<string, NumpyTsArray>>;
}

/** Other libraries that read `.npy` in JavaScript, with their versions. */
export interface Peers {
  readonly npyjs: Npyjs;
  readonly numpyTs: NumpyTs;
  /** `npyjs 1.2.0, numpy-ts 1.4.0`. */
  readonly versions: string;
}

/** Versions that the table was made with; no package of ours depends on them. */
const WANTED = { npyjs: "1.2.0", "numpy-ts": "1.4.0" };

/** Installs the peers from npm where they are missing, into a folder that git does not see, and loads them. */
export async function loadPeers(folder: string): Promise<Peers> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, ".gitignore"), "*\n");
  const missing = Object.entries(WANTED).filter(([name, version]) => installed(folder, name) !== version);
  if (missing.length > 0) {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const names = missing.map(([name, version]) => `${name}@${version}`);
    execFileSync("npm", ["install", "--no-audit", "--no-fund", ...names], { cwd: folder, stdio: "inherit" });
  }
  const load = (path: string): Promise<unknown> => import(pathToFileURL(join(folder, "node_modules", path)).href);
  return {
    // Their types are not there when this is compiled; what is used of them is written above.
    npyjs: (await load("npyjs/dist/index.js")) as Npyjs,
    numpyTs: (await load("numpy-ts/dist/esm/index.js")) as NumpyTs,
    versions: Object.entries(WANTED)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  };
}

function installed(folder: string, name: string): string | undefined {
  const path = join(folder, "node_modules", name, "package.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version : undefined;
}
