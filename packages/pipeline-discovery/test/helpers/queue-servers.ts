import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A server of a queue, on a free port, that can be killed and started again with what it has on disk. */
export interface QueueServerProcess extends AsyncDisposable {
  /** What to connect by. */
  readonly url: string;
  start(): Promise<void>;
  /** Ends it as a machine that loses its power does, as far as the system's cache survives. */
  kill(): Promise<void>;
}

/** Flags with which Redis keeps jobs. */
export const DURABLE = ["--appendonly", "yes", "--maxmemory-policy", "noeviction"];

/** Starts Debian's Redis with its files in `folder`. */
export async function startRedis(folder: string, flags: readonly string[] = DURABLE): Promise<QueueServerProcess> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...flags];
  const server = new ServerProcess(`redis://127.0.0.1:${port}`, "redis-server", args, {}, () => {
    return succeeds("redis-cli", ["-p", String(port), "ping"], "PONG");
  });
  await server.start();
  return server;
}

/** Starts Debian's PostgreSQL with its files in `folder`; as root it runs as the user postgres, as it must. */
export async function startPostgres(folder: string, flags: readonly string[] = []): Promise<QueueServerProcess> {
  const port = await freePort();
  const bin = postgresFolder();
  const data = join(folder, "data");
  mkdirSync(data);
  const user = process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {};
  if (user.uid !== undefined && user.gid !== undefined) {
    chownSync(folder, user.uid, user.gid);
    chownSync(data, user.uid, user.gid);
  }
  const initial = ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale"];
  execFileSync(join(bin, "initdb"), initial, { ...user, cwd: folder, stdio: "ignore" });
  const args = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder, "-c", "shared_buffers=16MB", ...flags];
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const server = new ServerProcess(url, join(bin, "postgres"), args, { ...user, cwd: folder }, () => {
    return succeeds(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)], "accepting");
  });
  await server.start();
  return server;
}

class ServerProcess implements QueueServerProcess {
  readonly url: string;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #options: object;
  readonly #isReady: () => boolean;
  #child: ChildProcess | undefined;

  constructor(url: string, command: string, args: readonly string[], options: object, isReady: () => boolean) {
    this.url = url;
    this.#command = command;
    this.#args = args;
    this.#options = options;
    this.#isReady = isReady;
  }

  async start(): Promise<void> {
    this.#child = spawn(this.#command, this.#args, { ...this.#options, stdio: "ignore" });
    while (!this.#isReady()) {
      if (this.#child.exitCode !== null) {
        throw new Error(`${this.#command} ended with ${this.#child.exitCode}`);
      }
      await sleep(20);
    }
  }

  async kill(): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function postgresFolder(): string {
  const all = "/usr/lib/postgresql";
  const versions = existsSync(all) ? readdirSync(all).sort((a, b) => Number(b) - Number(a)) : [];
  const folder = versions.map((version) => join(all, version, "bin")).find((bin) => existsSync(join(bin, "initdb")));
  if (folder === undefined) {
    throw new Error("PostgreSQL is not installed: apt-get install postgresql");
  }
  return folder;
}

function idOf(flag: string): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
}

function succeeds(command: string, args: readonly string[], text: string): boolean {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).includes(text);
  } catch {
    return false;
  }
}
