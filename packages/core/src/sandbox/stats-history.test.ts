import { describe, expect, it } from 'vitest';
import { type MetricsSample, maxStatsPoints } from './sandbox-stats.ts';
import { SampleSeries } from './stats-history.ts';

const sample = (atMs: number, cpuPercent = 1): MetricsSample => ({
  atMs,
  cpuPercent,
  memoryBytes: 10,
  diskBytes: 20,
  processes: 2,
  networkBytesPerSecond: null,
});

const filled = (count: number): SampleSeries => {
  const series = new SampleSeries();
  for (let index = 0; index < count; index += 1) series.add(sample(index, index % 2));
  return series;
};

describe('a series of samples', () => {
  it('has the newest as they were taken', () => {
    expect(filled(3).since(0)).toEqual([sample(0, 0), sample(1, 1), sample(2, 0)]);
    expect(filled(10_000).since(9_998)).toEqual([sample(9_998, 0), sample(9_999, 1)]);
  });

  it.each([250, 251, 499, 500, 10_000, 123_457])(
    'covers %i samples from the first to nearly the last in a bounded number of points',
    (count) => {
      const points = filled(count).since(0);
      expect(points.length).toBeGreaterThanOrEqual(maxStatsPoints / 2 - 1);
      expect(points.length).toBeLessThanOrEqual(maxStatsPoints);
      const gap = count / (maxStatsPoints / 2);
      expect(points[0]?.atMs).toBeLessThanOrEqual(gap * 2);
      expect(points.at(-1)?.atMs).toBeGreaterThanOrEqual(count - 1 - gap * 2);
      const times = points.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      if (count > 1_000) expect(points.every(({ cpuPercent }) => cpuPercent === 0.5)).toBe(true);
    },
  );
});
