import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startIdlePython } from '../bubblewrap-by-hand.ts';
import { callMethod, type KeepAliveClient } from '../keep-alive-client.ts';
import { descendantsOf, megabytesOf } from '../process-memory.ts';
import { atMost, atMostTimes, type Row } from '../row.ts';

const count = 50;
const names = Array.from({ length: count }, (_, index) => `crowd-${index}`);

/** Fifty sandboxes started at once, and what each costs while it waits. */
export async function fiftyAtOnce(
  client: KeepAliveClient,
  serverPid: number,
): Promise<readonly Row[]> {
  const startedMs = performance.now();
  const outcomes = await Promise.allSettled(
    names.map((sandbox) => callMethod(client, 'sandbox.start', { sandbox })),
  );
  const elapsedMs = performance.now() - startedMs;
  const succeeded = outcomes.filter(({ status }) => status === 'fulfilled').length;
  const withoutKernel = megabytesOf(descendantsOf(serverPid)) / count;
  await Promise.all(
    names.map((sandbox) =>
      callMethod(client, 'sandbox.repl.run', { sandbox, language: 'python', code: '1' }),
    ),
  );
  const withKernel = megabytesOf(descendantsOf(serverPid)) / count;
  await Promise.all(names.map((sandbox) => callMethod(client, 'sandbox.stop', { sandbox })));
  const bare = await measureIdlePythons();
  return [
    {
      what: '50 sandboxes started at once',
      unit: 'of 50',
      ours: succeeded,
      peer: null,
      target: 'all',
      reached: succeeded === count,
    },
    atMost(5_000, {
      what: 'the last of 50 sandboxes started at once',
      unit: 'ms',
      ours: elapsedMs,
    }),
    atMost(6, {
      what: 'memory of an idle sandbox without a kernel (PSS, of 50)',
      unit: 'MB',
      ours: withoutKernel,
    }),
    atMostTimes(1.3, {
      what: 'memory of an idle sandbox with a Python kernel (PSS, of 50)',
      unit: 'MB',
      ours: withKernel,
      peer: { name: 'bare python3 in bubblewrap', value: bare },
    }),
  ];
}

/** As many bare interpreters, so that what processes share is shared by equally many. */
async function measureIdlePythons(): Promise<number> {
  const children: readonly ChildProcess[] = names.map(() => startIdlePython());
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const pids = children.flatMap(({ pid }) =>
    pid === undefined ? [] : [pid, ...descendantsOf(pid)],
  );
  const megabytes = megabytesOf(pids) / count;
  await Promise.all(
    children.map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }),
  );
  return megabytes;
}
