import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { ExecutionContext } from "ava";

/** A file of a {@link RangeServer}. */
export interface ServedFile {
  readonly bytes: Uint8Array;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** A request as it came, and what it was answered with. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly connection: Socket;
  readonly at: number;
  status: number;
  /** Bytes of content that were sent. */
  bytes: number;
}

/** Answers a request in place of the server where it returns true. */
export type Intercept = (request: IncomingMessage, response: ServerResponse, seen: SeenRequest) => boolean;

/** A web server that serves one range a request and takes conditions as RFC 9110 has them, and nothing more. */
export class RangeServer {
  /** What is served, by path. */
  readonly files = new Map<string, ServedFile>();
  /** Every request, in the order they came. */
  readonly requests: SeenRequest[] = [];
  /** Looks at each request first. */
  intercept: Intercept = () => false;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #sockets = new Set<Socket>();

  /** Starts a server that ends with the test. */
  static async start(
    t: Pick<ExecutionContext, "teardown">,
    files: Record<string, ServedFile> = {},
  ): Promise<RangeServer> {
    const server = new RangeServer();
    for (const [path, file] of Object.entries(files)) server.files.set(path, file);
    server.#server.on("connection", (socket) => {
      server.#sockets.add(socket);
      socket.on("close", () => server.#sockets.delete(socket));
    });
    await new Promise<void>((listening) => server.#server.listen(0, "127.0.0.1", listening));
    t.teardown(() => server.stop());
    return server;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** Connections open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Bytes of content sent in all. */
  get bytesSent(): number {
    return this.requests.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The `Range` headers that came, without their unit. */
  get ranges(): string[] {
    return this.requests.map(({ headers }) => (headers.range ?? "").replace("bytes=", ""));
  }

  async stop(): Promise<void> {
    const closed = new Promise((close) => this.#server.close(close));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "").replace(/\?.*/, "");
    const seen = { path, headers: request.headers, connection: request.socket, at: Date.now(), status: 0, bytes: 0 };
    this.requests.push(seen);
    if (this.intercept(request, response, seen)) return;
    const file = this.files.get(path);
    if (file === undefined) answer(seen, response, 404);
    else serve(file, seen, response);
  }
}

/** One range; several, suffixes and the like are nothing a source of this package asks for. */
function serve({ bytes, etag, lastModified }: ServedFile, seen: SeenRequest, response: ServerResponse): void {
  const version = {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { "last-modified": lastModified }),
  };
  const total = bytes.length;
  const range = /^bytes=(\d+)-(\d+)$/.exec(seen.headers.range ?? "");
  const [start, last] = [Number(range?.[1]), Math.min(Number(range?.[2]), total - 1)];
  if (!isMet(seen.headers, etag, lastModified)) {
    answer(seen, response, 412, version);
  } else if (range === null || start >= total || start > last) {
    answer(seen, response, 416, { ...version, "content-range": `bytes */${total}` });
  } else {
    const content = bytes.subarray(start, last + 1);
    answer(seen, response, 206, { ...version, "content-range": `bytes ${start}-${last}/${total}` }, content);
  }
}

/** Ends an answer with its status and content. */
export function answer(
  seen: SeenRequest,
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  content: Uint8Array = new Uint8Array(0),
): void {
  seen.status = status;
  seen.bytes = content.length;
  response.writeHead(status, { "content-length": content.length, ...headers });
  response.end(content);
}

function isMet(headers: IncomingHttpHeaders, etag: string | undefined, lastModified: string | undefined): boolean {
  const match = headers["if-match"];
  // The strong comparison: a weak one is never met.
  if (match !== undefined) return match === etag && match.startsWith('"');
  const since = headers["if-unmodified-since"];
  return since === undefined || lastModified === undefined || Date.parse(lastModified) <= Date.parse(since);
}
