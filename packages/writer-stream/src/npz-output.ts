import { tmpdir } from "node:os";
import { basename, dirname } from "node:path";
import { crc32 } from "node:zlib";
import { type ByteSink, ZipLayout, type ZipPlace } from "@npystream/codec";
import { GatherBuffer } from "./gather-buffer.ts";
import type { OpenedArchive } from "./npz-append.ts";
import type { MemberPlace, WholeMember } from "./npz-member-body.ts";
import { SpoolFile } from "./spool-file.ts";
import { sinkPath } from "./write-target.ts";

/** What an archive has to know of a member before its content. */
export interface MemberKind {
  /** Name as stored, `features.npy`. */
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8;
  /** Bytes of the array's header. */
  readonly dataOffset: number;
  /** Whether the header is as it will be; else the place must take its first bytes once more. */
  readonly isFinal: boolean;
}

/** A member that is whole and waits in a file beside the archive. */
interface SpooledMember {
  readonly kind: MemberKind;
  readonly content: WholeMember;
  readonly spool: SpoolFile;
  readonly position: number;
}

/** Small members are gathered to writes of half of this. */
const GATHER_BYTES = 512 << 10;
/** Name of spooled members where the archive has no path. */
const NAMELESS = "npystream.npz";

/**
 * Puts members into an archive one behind another, as they come: the first large one takes the archive's end and is
 * written straight through; what comes meanwhile is spooled beside it and moved behind it. Nothing waits for an open member.
 */
export class NpzOutput {
  readonly #archive: Promise<OpenedArchive>;
  readonly #align: 64 | "page";
  readonly #onFailure: (reason: unknown) => void;
  readonly #spools = new Set<SpoolFile>();
  readonly #spooled: SpooledMember[] = [];
  /** The member that is written straight through. */
  #holder: ThroughPlace | undefined;
  /** The last of what is written at the archive's end one after another, and comes to its end by itself. */
  #tail: Promise<unknown> = Promise.resolve();
  #small: Promise<SpoolFile> | undefined;
  #end: ArchiveEnd | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #cleanup: Promise<void> | undefined;
  #isCommitted = false;

  /** @param onFailure - Told once when the archive is given up. */
  constructor(archive: Promise<OpenedArchive>, align: 64 | "page", onFailure: (reason: unknown) => void) {
    this.#archive = archive;
    this.#align = align;
    this.#onFailure = onFailure;
    archive.catch((error: unknown) => this.fail(error));
  }

  /** Gives a place to a member that is larger than is held. */
  begin(kind: MemberKind): Promise<MemberPlace> {
    return this.#guarded(async (end) => {
      if (this.#holder !== undefined || !(end.sink.seekable || kind.isFinal))
        return new SpoolPlace(await this.#spool());
      const holder = new ThroughPlace(end.sink);
      this.#holder = holder;
      await this.#tail;
      await holder.begin(end, kind);
      return holder;
    });
  }

  /** Takes a member that is whole: it lies in `place`, or its bytes are given. */
  add(kind: MemberKind, content: WholeMember, place: MemberPlace | undefined): Promise<void> {
    return this.#guarded(async (end) => {
      if (place instanceof ThroughPlace) {
        await place.finish(end, content);
        await this.#moveSpooled(end);
        // At this moment nothing waits any more.
        this.#holder = undefined;
      } else if (place instanceof SpoolPlace) {
        this.#spooled.push({ kind, content, spool: place.spool, position: 0 });
        await this.#next(() => this.#moveIfFree(end));
      } else if (this.#holder === undefined) {
        await this.#next(() => end.append(kind, content));
      } else {
        this.#small ??= this.#spool();
        const spool = await this.#small;
        const position = spool.end;
        await spool.write(content.bytes ?? new Uint8Array(0));
        this.#spooled.push({ kind, content, spool, position });
        await this.#next(() => this.#moveIfFree(end));
      }
    });
  }

  /** Writes the directory and commits. @returns Bytes of the archive. */
  finish(): Promise<{ readonly path?: string; readonly byteLength: number }> {
    return this.#guarded(async (end) => {
      await this.#next(() => this.#moveIfFree(end));
      const byteLength = await end.finish();
      this.#check();
      await end.sink.commit();
      this.#isCommitted = true;
      await this.#closeSpools();
      return { ...sinkPath(end.sink), byteLength };
    });
  }

  /** Gives the archive up: resolves when nothing is left of it. Does nothing to one that is committed. */
  fail(reason: unknown): Promise<void> {
    if (this.#isCommitted) return Promise.resolve();
    if (this.#failure === undefined) {
      this.#failure = { reason };
      this.#cleanup = this.#drop(reason);
      // Whoever waits for it hears of a failure to clean up.
      this.#cleanup.catch(() => undefined);
      this.#onFailure(reason);
    }
    return this.#cleanup ?? Promise.resolve();
  }

  /** Whatever fails gives up the archive, and what fails because of that fails for the first reason. */
  async #guarded<T>(act: (end: ArchiveEnd) => Promise<T>): Promise<T> {
    try {
      const archive = await this.#archive;
      this.#check();
      this.#end ??= new ArchiveEnd(archive, this.#align, (error) => void this.fail(error));
      const result = await act(this.#end);
      // Too late where the commit has given the name already; then the result stands.
      if (!this.#isCommitted) this.#check();
      return result;
    } catch (error) {
      await this.fail(error).catch(() => undefined);
      throw this.#failure === undefined ? error : this.#failure.reason;
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  #next(act: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(act);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async #moveIfFree(end: ArchiveEnd): Promise<void> {
    if (this.#holder === undefined) await this.#moveSpooled(end);
  }

  /** Moves what waits into the archive. */
  async #moveSpooled(end: ArchiveEnd): Promise<void> {
    for (let next = this.#spooled.shift(); next !== undefined; next = this.#spooled.shift()) {
      this.#check();
      await end.move(next);
      if (next.content.bytes === undefined) await this.#close(next.spool);
    }
  }

  async #spool(): Promise<SpoolFile> {
    const { path } = sinkPath((await this.#archive).sink);
    const folder = path === undefined ? tmpdir() : dirname(path);
    const spool = await SpoolFile.open(folder, path === undefined ? NAMELESS : basename(path), path);
    this.#spools.add(spool);
    if (this.#failure !== undefined) await this.#close(spool);
    return spool;
  }

  async #close(spool: SpoolFile): Promise<void> {
    this.#spools.delete(spool);
    await spool.close();
  }

  async #closeSpools(): Promise<void> {
    await Promise.all(Array.from(this.#spools, (spool) => this.#close(spool)));
  }

  async #drop(reason: unknown): Promise<void> {
    const archive = await this.#archive.catch(() => undefined);
    await archive?.sink.abort(reason);
    await this.#closeSpools();
  }
}

/** The end of an archive that grows. */
class ArchiveEnd {
  readonly sink: ByteSink;
  readonly layout: ZipLayout;
  readonly gather: GatherBuffer;

  constructor({ sink, base }: OpenedArchive, align: 64 | "page", onFailure: (error: unknown) => void) {
    this.sink = sink;
    this.layout = new ZipLayout(align, base);
    this.gather = new GatherBuffer(sink, GATHER_BYTES, onFailure);
  }

  /** Writes a member whose bytes are given. */
  async append({ name, method, dataOffset }: MemberKind, content: WholeMember): Promise<void> {
    const { bytes = new Uint8Array(0), ...known } = content;
    await this.gather.write(this.layout.add(this.layout.place(name, method, dataOffset), known));
    await this.gather.write(bytes);
  }

  /** Copies a member from its spool. */
  async move({ kind, content, spool, position }: SpooledMember): Promise<void> {
    const { bytes: _, ...known } = content;
    await this.gather.write(this.layout.add(this.layout.place(kind.name, kind.method, kind.dataOffset), known));
    for await (const piece of spool.read(position, content.compressedSize)) await this.gather.write(piece);
  }

  /** Writes what follows the members. @returns Bytes of the archive. */
  async finish(): Promise<number> {
    let byteLength = this.layout.offset;
    for (const piece of this.layout.end({ crc32: (bytes, seed) => crc32(bytes, seed) })) {
      byteLength += piece.length;
      await this.gather.write(piece);
    }
    await this.gather.drain();
    return byteLength;
  }
}

/** A place at the archive's end. */
class ThroughPlace implements MemberPlace {
  readonly #sink: ByteSink;
  #place: ZipPlace | undefined;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  async begin({ layout, gather }: ArchiveEnd, { name, method, dataOffset }: MemberKind): Promise<void> {
    const place = layout.place(name, method, dataOffset);
    // Where nothing can be written twice, this one stays, and what it does not tell follows the member.
    await gather.write(layout.describedHeader(place));
    await gather.drain();
    this.#place = place;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#sink.write(bytes);
  }

  rewriteStart(bytes: Uint8Array): Promise<void> {
    return this.#sink.write(bytes, this.#place?.start);
  }

  async finish({ layout }: ArchiveEnd, content: WholeMember): Promise<void> {
    const place = this.#place;
    if (place === undefined) return;
    if (this.#sink.seekable) await this.#sink.write(layout.add(place, content), place.offset);
    else await this.#sink.write(layout.addDescribed(place, content));
  }
}

/** A place in a file of its own. */
class SpoolPlace implements MemberPlace {
  readonly spool: SpoolFile;

  constructor(spool: SpoolFile) {
    this.spool = spool;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.spool.write(bytes);
  }

  rewriteStart(bytes: Uint8Array): Promise<void> {
    return this.spool.write(bytes, 0);
  }
}
