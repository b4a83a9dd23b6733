import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import {
  type ApiKey,
  type AuditedChange,
  createAuditLog,
  createFailureBudget,
  createSandboxes,
  createUsageLedger,
  type IssueKeyRequest,
  issueKey,
  mergeLimits,
  noLimits,
  type RequestLimits,
  restrictSandboxes,
  rotateKey,
  type SandboxPolicy,
  type ServerKey,
  type StoredLimits,
  sealEnvironments,
  serverKeyFingerprint,
  standardLimits,
  standardSandboxPolicy,
  startWorkspacePurge,
  type Timers,
  type Workspace,
} from '@sandgate/core';
import { pino } from 'pino';
import { expect } from 'vitest';
import type { ServerConfig } from '../../packages/server/src/config/index.ts';
import { serverConfig } from '../../packages/server/src/config/server-config.ts';
import { createMemoryCounters } from '../../packages/server/src/counters/memory/memory-counters.ts';
import { type AppDependencies, createApp } from '../../packages/server/src/http/app.ts';
import { createDevelopmentAuthorizer } from '../../packages/server/src/http/authorize/development-authorizer.ts';
import { createKeyAuthorizer } from '../../packages/server/src/http/authorize/key-authorizer.ts';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { createDirectAnswers } from '../../packages/server/src/http/native/direct-answers.ts';
import { createTurnEnd } from '../../packages/server/src/http/turn-end.ts';
import { createPasswordHasher } from '../../packages/server/src/identity/password-hasher.ts';
import { createTextSealer } from '../../packages/server/src/identity/text-sealer.ts';
import { createPeople } from '../../packages/server/src/people.ts';
import { createProgramSignIn } from '../../packages/server/src/program-sign-in.ts';
import { createRegistryGate } from '../../packages/server/src/registry/registry-gate.ts';
import { nextCronMs } from '../../packages/server/src/schedule/next-cron.ts';
import { openSqliteStorage } from '../../packages/server/src/storage/sqlite/open-sqlite-storage.ts';
import { createCommandUpstreams } from '../../packages/server/src/upstream/command/command-upstreams.ts';
import {
  createHttpUpstreams,
  type HttpUpstreamOptions,
} from '../../packages/server/src/upstream/http-upstreams.ts';
import { mcpUpstreamPolicy } from '../../packages/server/src/upstream/mcp-policy.ts';
import { upstreamsByKind } from '../../packages/server/src/upstream/upstreams-by-kind.ts';
import { createMemoryLogs } from './memory-logs.ts';
import { ScriptedEngine } from './scripted-engine.ts';

/** Far below what a server may be configured to: tests log in often. */
const testHasher = createPasswordHasher({ memoryKib: 64, iterations: 1 });

/** The HTTP surface over a real store and a scripted engine, with a clock that the test moves. */
export async function createTestApp(
  folder: string,
  {
    developmentMode = false,
    stored = {},
    policy: changedPolicy = {},
    identity = {},
    upstreams: upstreamOptions = {},
    sandboxUrls = { publicUrl: null, wildcardUrl: null },
  }: {
    readonly developmentMode?: boolean;
    readonly stored?: Partial<StoredLimits>;
    readonly policy?: Partial<SandboxPolicy>;
    readonly identity?: Partial<ServerConfig['identity']>;
    readonly upstreams?: Partial<HttpUpstreamOptions>;
    readonly sandboxUrls?: AppDependencies['sandboxUrls'];
  } = {},
) {
  const clock = { currentMs: 1_800_000_000_000, nowMs: () => clock.currentMs };
  const file = join(folder, `${randomBytes(4).toString('hex')}.db`);
  const randomness = { bytes: (length: number) => randomBytes(length) };
  const environmentKey = { version: 1, secret: randomBytes(32) };
  const storage = sealEnvironments(
    await openSqliteStorage({ file, clock }),
    createTextSealer(() => environmentKey, randomness),
  );
  const waiting = new Map<() => void, number>();
  /** Nothing passes by itself: the test says when all that is waited for is over. */
  const timers: Timers & { pass: () => void; delaysMs: () => readonly number[] } = {
    after(delayMs, run) {
      waiting.set(run, delayMs);
      return () => void waiting.delete(run);
    },
    pass() {
      const due = [...waiting.keys()];
      // Before they run: they may wait again.
      waiting.clear();
      for (const run of due) run();
    },
    delaysMs: () => [...waiting.values()],
  };
  const secret = randomBytes(32);
  const { record } = await storage.serverKeys.replace(serverKeyFingerprint(secret), clock.nowMs());
  let key: ServerKey = { version: record.version, secret };
  const engine = new ScriptedEngine();
  const backgroundErrors: unknown[] = [];
  const policy: SandboxPolicy = {
    ...standardSandboxPolicy,
    maxima: { memoryMib: 4096, cpus: 4, diskMib: 4096, maxProcesses: 1024 },
    allowedHostPaths: [{ path: '/srv/data', readOnly: true }],
    realPath: (path) => resolve(path),
    maxSandboxes: 5,
    stored: {
      sandboxesPerWorkspace: 100,
      sandboxes: 1_000,
      layerBytesPerWorkspace: 1_000_000,
      layerBytes: 10_000_000,
      ...stored,
    },
    ...changedPolicy,
  };
  const logs = createMemoryLogs();
  const sandboxes = createSandboxes({
    storage,
    engine,
    sealer: createTextSealer(() => key, randomness),
    clock,
    randomness,
    timers,
    policy,
    logs,
    callerKey: () => null,
    onEnded: async () => undefined,
    nextCronMs,
    onBackgroundError: (error) => void backgroundErrors.push(error),
  });
  const auditLog = createAuditLog({ audit: storage.audit, clock, serverKey: () => key });
  const bySetup = { actor: { kind: 'operator' }, action: 'test.setup' } as const;
  const change: AuditedChange = {
    note: () => undefined,
    append: () => auditLog.append([bySetup]),
    alsoAppend: () => auditLog.append([bySetup]),
  };
  const keyDependencies = { storage, clock, randomness, serverKey: () => key, change, auditLog };
  const refusals: string[] = [];
  const counters = createMemoryCounters(storage.usage);
  const limits = { current: noLimits as RequestLimits };
  const plans = {
    standard: { requests: standardLimits },
    small: { requests: { ...standardLimits, minute: 5, quota24h: 50 } },
  };
  const limitsOf = (key: ApiKey, workspace: Workspace | null) =>
    mergeLimits(
      key.workspaceId !== null && workspace?.plan === 'small'
        ? plans.small.requests
        : limits.current,
      key.limits,
    );
  const people = await createPeople({
    ...keyDependencies,
    timers,
    config: { ...serverConfig.parse({}).identity, ...identity },
    hasher: testHasher,
    onError: (error) => void backgroundErrors.push(error),
  });
  const purge = startWorkspacePurge({
    ...keyDependencies,
    sandboxes,
    timers,
    onError: (error) => void backgroundErrors.push(error),
  });
  const httpUpstreams = createHttpUpstreams({
    policy: mcpUpstreamPolicy({ allowedPrivateHosts: ['upstream.test', '127.0.0.1'] }),
    resolve: async () => ['127.0.0.1'],
    answerMs: 60_000,
    silenceMs: 60_000,
    ...upstreamOptions,
  });
  const commands = createCommandUpstreams({
    ...{ storage, sandboxes, logs, clock, timers },
    answerMs: 60_000,
    idleMs: 300_000,
    maxProcesses: 3,
    asServer: (work) => work(),
    onError: (error) => void backgroundErrors.push(error),
  });
  const upstreams = upstreamsByKind(httpUpstreams, commands);
  const turnEnd = createTurnEnd(storage.atOneMoment);
  const doors: AppDependencies = {
    ...keyDependencies,
    ...people.services,
    purgeClosed: purge.purgeClosed,
    oauth: developmentMode
      ? null
      : createProgramSignIn({
          ...keyDependencies,
          ...people,
          config: { ...serverConfig.parse({}).identity, ...identity },
          log: pino({ level: 'silent' }),
        }),
    oauthGrantDays: 30,
    onRefusal: ({ code }) => void refusals.push(code),
    limitsOf,
    plans,
    sandboxUrls,
    mayHaveKey: ({ plan }) => plan !== 'small',
    version: '0.0.0',
    webhookProblem: (url) => (url.startsWith('https://') ? null : 'must be https'),
    timers,
    callRecorder: { take: (record) => auditLog.record(record) },
    upstreams,
    upstreamProblem: upstreams.problem,
    registryGate: createRegistryGate({
      allowedPrivateHosts: ['registry.test', '127.0.0.1'],
      resolve: async () => ['127.0.0.1'],
    }),
    openCallsPerMinute: 20,
    authorizer: developmentMode
      ? createDevelopmentAuthorizer({ ...keyDependencies, sandboxes, auditAs: (_, work) => work() })
      : createKeyAuthorizer({
          ...keyDependencies,
          accessTokens: people.services.accessTokens,
          counters,
          limitsOf,
          ledger: createUsageLedger(storage.usage, turnEnd.settle),
          failures: createFailureBudget(),
          timers,
          onError: (error) => void backgroundErrors.push(error),
          sandboxesFor: ({ restrictions }) =>
            restrictSandboxes(sandboxes, restrictions, {
              image: policy.defaultImage,
              resources: policy.defaults,
            }),
          onRefusal: ({ code }) => void refusals.push(code),
          auditAs: (_, work) => work(),
        }),
    log: pino({ level: 'silent' }),
    developmentMode,
  };
  const app = createApp(doors);
  return {
    app,
    doors,
    /** Of its database. */
    file,
    /** Answers as the server does before it asks the app. */
    direct: createDirectAnswers(doors, turnEnd),
    storage,
    clock,
    engine,
    timers,
    sandboxes,
    backgroundErrors,
    upstreams,
    logs,
    refusals,
    people: people.services,
    purge,
    /** What every key may do; none at the start. */
    limits,
    keyDependencies,
    replaceServerKey(next: ServerKey) {
      key = next;
    },
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
    /** Sends a request to Sandgate's own door. */
    async api(
      method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      path: string,
      key: string | null,
      body?: unknown,
      headers: Record<string, string> = {},
    ) {
      const response = await app.request(`/api/v1${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === null ? {} : { 'x-api-key': key }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
      if (response.status < 300) requireDocumented(method, path, response.status, text);
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : null,
      };
    },
    /** Calls one method, and answers status and body. */
    call(method: string, params: unknown, key: string | null) {
      return this.post({ jsonrpc: '2.0', id: '1', method, params }, key);
    },
  };
}

/** What is answered is what the OpenAPI document says, whichever test asks. */
function requireDocumented(method: string, path: string, status: number, text: string): void {
  const plain = `/api/v1${path.split('?')[0]}`;
  const route = allRoutes.find(
    (each) =>
      each.method.toUpperCase() === method &&
      new RegExp(`^${each.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(plain),
  );
  if (route === undefined) return;
  expect(status).toBe(route.status);
  if (text.startsWith('{')) expect(route.answer.safeParse(JSON.parse(text)).error).toBeUndefined();
}

export type TestApp = Awaited<ReturnType<typeof createTestApp>>;
