import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadCore } from './pinned-process.ts';

const connections = 32;

export interface Load {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly answers: number;
}

/** Asks one address over kept connections for some seconds. Every answer must be one of success. */
export async function load(
  address: string,
  { key, seconds }: { readonly key: string | null; readonly seconds: number },
): Promise<Load> {
  const program = fileURLToPath(import.meta.resolve('autocannon'));
  const { stdout } = await promisify(execFile)('taskset', [
    ...['-c', String(loadCore), process.execPath, program],
    ...['--json', '--no-progress', '-c', String(connections), '-d', String(seconds)],
    ...(key === null ? [] : ['-H', `x-api-key=${key}`]),
    address,
  ]);
  const result = JSON.parse(stdout);
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${address}: ${result.non2xx} refusals and ${result.errors} errors`);
  }
  return {
    perSecond: result['2xx'] / result.duration,
    p99Ms: result.latency.p99,
    answers: result['2xx'],
  };
}
