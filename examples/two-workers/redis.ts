import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A Redis that keeps what it is told, with its files in a folder. */
export interface Redis extends AsyncDisposable {
  readonly url: string;
}

/**
 * Starts Redis on a free port: what one would do by hand with
 * `redis-server --port 6380 --appendonly yes --maxmemory-policy noeviction`.
 *
 * @throws Error where it is not installed.
 */
export async function startRedis(folder: string): Promise<Redis> {
  const port = await freePort();
  const flags = ["--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--maxmemory-policy", "noeviction"];
  const child = spawn("redis-server", ["--port", String(port), ...flags], { stdio: "ignore" });
  await once(child, "spawn");
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
