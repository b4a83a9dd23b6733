import type { EngineSandbox, SandboxMetrics } from '../port/engine.ts';
import { createMetricsReader } from './read-metrics.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import { type MetricsSample, maxStatsPoints, type StatsReading } from './sandbox-stats.ts';

/**
 * The samples of one run of a sandbox: the newest as they were taken, and all of them ever more
 * coarsely, so that it takes the same room however long the sandbox runs.
 */
export class SampleSeries {
  readonly #newest: MetricsSample[] = [];
  /** Each stands for `#each` samples. */
  #all: MetricsSample[] = [];
  #each = 1;
  #pending: MetricsSample[] = [];

  add(sample: MetricsSample): void {
    this.#newest.push(sample);
    if (this.#newest.length > maxStatsPoints) this.#newest.shift();
    this.#pending.push(sample);
    if (this.#pending.length < this.#each) return;
    this.#all.push(averageOf(this.#pending));
    this.#pending = [];
    // An even number, so that every one has another.
    if (this.#all.length < maxStatsPoints) return;
    const before = this.#all;
    this.#all = before
      .filter((_, index) => index % 2 === 1)
      .map((later, index) => averageOf([before[index * 2] ?? later, later]));
    this.#each *= 2;
  }

  /** Since a time: as they were taken where that reaches far enough. */
  since(sinceMs: number): readonly MetricsSample[] {
    const first = this.#newest[0];
    const known = first === undefined || first.atMs <= sinceMs || this.#each === 1;
    return (known ? this.#newest : this.#all).filter(({ atMs }) => atMs >= sinceMs);
  }
}

function averageOf(samples: readonly MetricsSample[]): MetricsSample {
  const mean = (read: (sample: MetricsSample) => number): number =>
    samples.reduce((sum, sample) => sum + read(sample), 0) / samples.length;
  const networked = samples.filter(({ networkBytesPerSecond }) => networkBytesPerSecond !== null);
  return {
    atMs: samples.at(-1)?.atMs ?? 0,
    cpuPercent: mean(({ cpuPercent }) => cpuPercent),
    memoryBytes: Math.round(mean(({ memoryBytes }) => memoryBytes)),
    diskBytes: Math.round(mean(({ diskBytes }) => diskBytes)),
    processes: Math.round(mean(({ processes }) => processes)),
    networkBytesPerSecond:
      networked.length === 0
        ? null
        : networked.reduce((sum, sample) => sum + (sample.networkBytesPerSecond ?? 0), 0) /
          networked.length,
  };
}

interface Run {
  readonly live: EngineSandbox;
  readonly series: SampleSeries;
  last: { readonly atMs: number; readonly networkBytes: number | null };
}

/** Reads the metrics of everything that runs now and then. */
export class StatsHistory {
  readonly #parts: SandboxParts;
  readonly #readMetrics: ReturnType<typeof createMetricsReader>;
  readonly #runs = new Map<string, Run>();
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    this.#readMetrics = createMetricsReader(parts.timers);
  }

  start(): void {
    const everyMs = this.#parts.policy.statsEveryMs;
    if (everyMs === null || this.#closed) return;
    this.#cancel = this.#parts.timers.after(everyMs, () => {
      void this.#sampleAll().then(() => this.start());
    });
  }

  /** With the moment itself as the last point, where the sandbox answers. */
  async read(id: string, sinceMs: number): Promise<StatsReading> {
    const live = this.#parts.live.get(id);
    if (live !== undefined) await this.#sample(id, live);
    const run = this.#runs.get(id);
    const samples = run?.series.since(sinceMs) ?? [];
    return {
      samples: samples.slice(-maxStatsPoints),
      networkBytes: run?.last.networkBytes ?? null,
    };
  }

  forget(id: string): void {
    this.#runs.delete(id);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    this.#runs.clear();
  }

  async #sampleAll(): Promise<void> {
    // One after another: reading may start a program in each.
    for (const [id, live] of this.#parts.live) await this.#sample(id, live);
  }

  /** Never rejects. */
  async #sample(id: string, live: EngineSandbox): Promise<void> {
    const sandbox = await this.#parts.records.byId(id).catch(() => null);
    // A paused one would not answer.
    if (sandbox?.state !== 'ready') return;
    const { metrics } = await this.#readMetrics(live);
    if (metrics === null || this.#parts.live.get(id) !== live || this.#closed) return;
    const atMs = this.#parts.clock.nowMs();
    const networkBytes = totalOf(metrics);
    const known = this.#runs.get(id);
    const run = known?.live === live ? known : newRun(live, atMs, networkBytes);
    this.#runs.set(id, run);
    run.series.add({
      atMs,
      cpuPercent: metrics.cpuPercent,
      memoryBytes: metrics.memoryBytes,
      diskBytes: metrics.diskBytes,
      processes: metrics.processes,
      networkBytesPerSecond: rateOf(run.last, { atMs, networkBytes }),
    });
    run.last = { atMs, networkBytes };
  }
}

const newRun = (live: EngineSandbox, atMs: number, networkBytes: number | null): Run => ({
  live,
  series: new SampleSeries(),
  last: { atMs, networkBytes },
});

const totalOf = ({ network }: SandboxMetrics): number | null =>
  network === null || network === undefined ? null : network.receivedBytes + network.sentBytes;

function rateOf(before: Run['last'], now: Run['last']): number | null {
  if (before.networkBytes === null || now.networkBytes === null) return null;
  const seconds = (now.atMs - before.atMs) / 1_000;
  return seconds <= 0 ? 0 : Math.max(0, now.networkBytes - before.networkBytes) / seconds;
}
