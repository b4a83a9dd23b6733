/** One point of a sandbox's history. */
export interface MetricsSample {
  /** End of the stretch that it stands for. */
  readonly atMs: number;
  /** Percent of one CPU, on average over the stretch. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly processes: number;
  /** Over the stretch; null where the sandbox has no network, or the engine cannot tell. */
  readonly networkBytesPerSecond: number | null;
}

export interface StatsReading {
  /** Oldest first, at most `maxStatsPoints`, evenly spread over what is known of the time. */
  readonly samples: readonly MetricsSample[];
  /** Received and sent since the sandbox started; null as above. */
  readonly networkBytes: number | null;
}

export const maxStatsPoints = 250;
