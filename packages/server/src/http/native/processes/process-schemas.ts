import type { BackgroundProcess, ProcessEnd } from '@sandgate/core';
import { z } from 'zod';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { nullableTime, time, toNullableTime, toTime } from '../shared-schemas.ts';

export const processParams = z.strictObject({
  ...sandboxParams.shape,
  process: z.string().min(1).max(63).meta({ description: 'Id of the process' }),
});

const byte = z.int().nonnegative();

/** How a process is, or how it ended. */
export const processStanding = {
  state: z
    .enum(['running', 'exited', 'lost', 'failed'])
    .meta({ description: 'lost: with the sandbox that it ran in' }),
  exit_code: z.int().nullable().meta({ description: '128 + n when signal n ended it' }),
  failure: z.string().nullable(),
};

export const processItem = z
  .strictObject({
    id: z.string(),
    sandbox_id: z.string(),
    command: z.union([z.string(), z.array(z.string())]),
    cwd: z.string().nullable(),
    ...processStanding,
    stdin: z.enum(['open', 'closed']),
    output_from_byte: byte.meta({ description: 'What was written before it is not kept' }),
    output_to_byte: byte,
    started_at: time,
    ended_at: nullableTime,
  })
  .meta({ id: 'Process' });

export function standingOf(end: ProcessEnd | null) {
  const none = { exit_code: null, failure: null };
  switch (end?.kind) {
    case undefined:
      return { ...none, state: 'running' as const };
    case 'exited':
      return { ...none, state: end.kind, exit_code: end.exitCode };
    case 'lost':
      return { ...none, state: end.kind };
    case 'failed':
      return { ...none, state: end.kind, failure: end.reason };
  }
}

export const toProcessItem = (process: BackgroundProcess): z.input<typeof processItem> => ({
  id: process.id,
  sandbox_id: process.sandboxId,
  command: 'line' in process.command ? process.command.line : [...process.command.argv],
  cwd: process.cwd,
  ...standingOf(process.end),
  stdin: process.stdin,
  output_from_byte: process.outputFromByte,
  output_to_byte: process.outputToByte,
  started_at: toTime(process.startedAtMs),
  ended_at: toNullableTime(process.endedAtMs),
});
