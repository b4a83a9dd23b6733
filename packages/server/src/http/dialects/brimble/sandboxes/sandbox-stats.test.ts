import { expect, it } from 'vitest';
import { statsObject } from './sandbox-stats.ts';

const resources = { cpus: 2, memoryMib: 512 };
const sample = {
  atMs: 1_800_000_000_000,
  cpuPercent: 100,
  memoryBytes: 128 * 1_048_576,
  diskBytes: 0,
  processes: 1,
  networkBytesPerSecond: null,
};

it('shows shares of what the sandbox may have, and sizes in whole MB and MHz', () => {
  const later = { ...sample, memoryBytes: 256 * 1_048_576, networkBytesPerSecond: 10.4 };
  expect(statsObject({ samples: [sample, later], networkBytes: 624 }, resources)).toEqual({
    average: {
      memory: { totalInPercentage: 37.5, size: 192 },
      cpu: { totalInPercentage: 50, size: 1_000 },
      network: { value: 624, total: null, totalInPercentage: null, bytesPerSecond: 10 },
    },
    replicaCount: 1,
    results: [
      {
        date: '2027-01-15T08:00:00.000Z',
        memory: 25,
        cpu: 50,
        network: { bytesPerSecond: null },
      },
      { date: '2027-01-15T08:00:00.000Z', memory: 50, cpu: 50, network: { bytesPerSecond: 10 } },
    ],
    responseTime: null,
  });
});

it('shows zeros and nulls of a sandbox that has not been measured', () => {
  expect(statsObject({ samples: [], networkBytes: null }, resources)).toMatchObject({
    average: {
      memory: { totalInPercentage: 0, size: 0 },
      cpu: { totalInPercentage: 0, size: 0 },
      network: { value: null, bytesPerSecond: null },
    },
    results: [],
  });
});
