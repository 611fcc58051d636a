/** What one contender measured of itself, as the line of JSON that it prints last. */
export interface Measurement {
  /** Time of the work alone, without starting the process, in milliseconds. */
  readonly ms: number;
  /** Derived from everything that was consumed or produced, so that no side skips work. */
  readonly checksum: string;
  /** Peak resident memory in bytes. */
  readonly rssBytes: number;
  /** User and system time of the whole process in seconds. */
  readonly cpuSeconds: number;
}

/** Runs `work` once and prints what it took; `work` gives its checksum. */
export async function measure(work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  const checksum = await work();
  const ms = performance.now() - start;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const result: Measurement = {
    ms,
    checksum: String(checksum),
    rssBytes: maxRSS * 1024,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
  };
  console.log(JSON.stringify(result));
}
