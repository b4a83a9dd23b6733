import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import {
  createSandboxes,
  newWorkspace,
  type Sandboxes,
  type SandboxPolicy,
  type Storage,
  standardSandboxPolicy,
  type Workspace,
} from '@sandgate/core';
import { nextCronMs } from '../../packages/server/src/schedule/next-cron.ts';
import { openSqliteStorage } from '../../packages/server/src/storage/sqlite/open-sqlite-storage.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';
import { createMemoryLogs } from './memory-logs.ts';
import { ScriptedEngine } from './scripted-engine.ts';

const mebibyte = 1_048_576;

export interface TestSandboxes {
  sandboxes: Sandboxes;
  readonly storage: Storage;
  readonly engine: ScriptedEngine;
  readonly time: ManualTime;
  readonly workspace: Workspace;
  readonly other: Workspace;
  readonly backgroundErrors: unknown[];
  /** What the server destroyed of its own accord, as `name:reason`. */
  readonly ended: string[];
  /** Number of the key that asks; null at the start. */
  callerKey: number | null;
  /** Makes writes of sandboxes fail, as a full disk does: so many, after some that succeed. */
  failUpdates(times: number, after?: number): void;
  /** Makes so many look-ups of sandboxes by their ids fail. */
  failLookUps(times: number): void;
  /** As after `kill -9`: what ran is gone, and a new server is over the same store. */
  crash(): Promise<Sandboxes>;
  /** Every state that sandboxes went through, in order, as `name:state` or `name:destroyed(reason)`. */
  readonly states: string[];
}

/** The sandbox domain over a real store and a scripted engine, with time that the test moves. */
export async function createTestSandboxes(
  folder: string,
  policy: Partial<SandboxPolicy> = {},
): Promise<TestSandboxes> {
  const time = createManualTime();
  const file = join(folder, `${randomBytes(4).toString('hex')}.db`);
  const opened = await openSqliteStorage({ file, clock: time });
  let failures = 0;
  let successes = 0;
  let lookUpFailures = 0;
  const storage: Storage = {
    ...opened,
    close: () => opened.close(),
    sandboxes: new Proxy(opened.sandboxes, {
      get(target, name: keyof Storage['sandboxes']) {
        const method = target[name].bind(target) as (...given: unknown[]) => Promise<unknown>;
        if (name === 'findById' && lookUpFailures > 0) {
          lookUpFailures -= 1;
          return () => Promise.reject(new Error('The disk cannot be read.'));
        }
        if (name !== 'update') return method;
        return async (...given: unknown[]) => {
          if (successes > 0 || failures === 0) {
            successes -= Math.sign(successes);
            return await method(...given);
          }
          failures -= 1;
          throw new Error('The disk is full.');
        };
      },
    }),
  };
  const workspaceOf = (number: number): Promise<Workspace> =>
    storage.workspaces.insertIfAbsent(
      newWorkspace({
        id: `${number}`.padStart(24, '0'),
        uuid: `00000000-0000-4000-8000-00000000000${number}`,
        slug: `team-${number}`,
        createdAtMs: time.nowMs(),
      }),
    );
  const engine = new ScriptedEngine();
  const states: string[] = [];
  const backgroundErrors: unknown[] = [];
  const logs = createMemoryLogs();
  const test = {
    callerKey: null as number | null,
    engine,
    storage,
    time,
    states,
    backgroundErrors,
    ended: [] as string[],
    workspace: await workspaceOf(1),
    other: await workspaceOf(2),
    failUpdates(times: number, after = 0) {
      failures = times;
      successes = after;
    },
    failLookUps(times: number) {
      lookUpFailures = times;
    },
  };
  const open = async (): Promise<Sandboxes> => {
    const sandboxes = createSandboxes({
      storage,
      engine,
      sealer: { open: () => null },
      clock: time,
      timers: time,
      randomness: { bytes: (length) => randomBytes(length) },
      policy: {
        ...standardSandboxPolicy,
        statsEveryMs: null,
        realPath: (path) => resolve(path),
        stored: {
          sandboxesPerWorkspace: 100_000,
          sandboxes: 100_000,
          layerBytesPerWorkspace: 1_000 * mebibyte,
          layerBytes: 1_000 * mebibyte,
        },
        ...policy,
      },
      logs,
      callerKey: () => test.callerKey,
      onEnded: async ({ name }, reason) => void test.ended.push(`${name}:${reason}`),
      nextCronMs,
      onBackgroundError: (error) => void backgroundErrors.push(error),
    });
    await sandboxes.reconcile();
    void record(sandboxes, states);
    return sandboxes;
  };
  return Object.assign(test, {
    sandboxes: await open(),
    async crash() {
      engine.live.clear();
      const restarted = await open();
      Object.assign(this, { sandboxes: restarted });
      return restarted;
    },
  });
}

async function record(sandboxes: Sandboxes, states: string[]): Promise<void> {
  const { signal } = new AbortController();
  for await (const event of sandboxes.events(null, { signal })) {
    if (event.kind !== 'sandbox.state') continue;
    const { name, state, reason } = event;
    states.push(`${name}:${reason === null ? state : `${state}(${reason})`}`);
  }
}
