import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import {
  createFailureBudget,
  createSandboxes,
  createUsageLedger,
  type IssueKeyRequest,
  issueKey,
  noLimits,
  type RequestLimits,
  rotateKey,
  type ServerKey,
  serverKeyFingerprint,
} from '@sandgate/core';
import { pino } from 'pino';
import { createMemoryCounters } from '../../packages/server/src/counters/memory/memory-counters.ts';
import { createApp } from '../../packages/server/src/http/app.ts';
import { createDevelopmentAuthorizer } from '../../packages/server/src/http/authorize/development-authorizer.ts';
import { createKeyAuthorizer } from '../../packages/server/src/http/authorize/key-authorizer.ts';
import { openSqliteStorage } from '../../packages/server/src/storage/sqlite/open-sqlite-storage.ts';
import { ScriptedEngine } from './scripted-engine.ts';

/** The HTTP surface over a real store and a scripted engine, with a clock that the test moves. */
export async function createTestApp(
  folder: string,
  { developmentMode = false }: { readonly developmentMode?: boolean } = {},
) {
  const storage = await openSqliteStorage({
    file: join(folder, `${randomBytes(4).toString('hex')}.db`),
  });
  const clock = { currentMs: 1_800_000_000_000, nowMs: () => clock.currentMs };
  const randomness = { bytes: (length: number) => randomBytes(length) };
  const secret = randomBytes(32);
  const { record } = await storage.serverKeys.replace(serverKeyFingerprint(secret), clock.nowMs());
  const key: ServerKey = { version: record.version, secret };
  const engine = new ScriptedEngine();
  const backgroundErrors: unknown[] = [];
  const sandboxes = createSandboxes({
    storage,
    engine,
    clock,
    randomness,
    policy: {
      defaultImage: 'microsandbox/python',
      defaults: { memoryMib: 1024, cpus: 1, diskMib: 1024, maxProcesses: 256 },
      maxima: { memoryMib: 4096, cpus: 4, diskMib: 4096, maxProcesses: 1024 },
      allowedHostPaths: [{ path: '/srv/data', readOnly: true }],
      realPath: (path) => resolve(path),
      maxSandboxes: 5,
    },
    onMainOutput: () => undefined,
    onBackgroundError: (error) => void backgroundErrors.push(error),
  });
  const keyDependencies = { storage, clock, randomness, serverKey: () => key };
  const refusals: string[] = [];
  const counters = createMemoryCounters(storage.usage);
  const limits = { current: noLimits as RequestLimits };
  const app = createApp({
    authorizer: developmentMode
      ? createDevelopmentAuthorizer({ ...keyDependencies, auditAs: (_, work) => work() })
      : createKeyAuthorizer({
          ...keyDependencies,
          counters,
          limitsOf: () => limits.current,
          ledger: createUsageLedger(storage.usage),
          failures: createFailureBudget(),
          onRefusal: ({ code }) => void refusals.push(code),
          auditAs: (_, work) => work(),
        }),
    sandboxes,
    clock,
    log: pino({ level: 'silent' }),
    developmentMode,
  });
  return {
    app,
    storage,
    clock,
    engine,
    sandboxes,
    backgroundErrors,
    refusals,
    /** What every key may do; none at the start. */
    limits,
    keyDependencies,
    rotate: async (reference: string) => await rotateKey(keyDependencies, reference),
    issue: async (request: IssueKeyRequest = {}) => await issueKey(keyDependencies, request),
    /** Sends a body to the RPC door. */
    async post(body: unknown, key: string | null, headers: Record<string, string> = {}) {
      const response = await app.request('/api/v1/rpc', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: text === '' ? null : JSON.parse(text),
      };
    },
    /** Calls one method, and answers status and body. */
    call(method: string, params: unknown, key: string | null) {
      return this.post({ jsonrpc: '2.0', id: '1', method, params }, key);
    },
  };
}

export type TestApp = Awaited<ReturnType<typeof createTestApp>>;
