import {
  type ApiKey,
  type AuditContext,
  type AuditLog,
  auditKeyChange,
  auditSandboxes,
  type Clock,
  type Counters,
  createAuditLog,
  createCallRecorder,
  createFailureBudget,
  createKeyedQueue,
  createRefusalRecorder,
  createSandboxes,
  createUsageLedger,
  type Engine,
  type EngineReport,
  issueKey,
  type KeyDependencies,
  type PasswordHasher,
  type Randomness,
  type RequestLimits,
  restrictSandboxes,
  type SandboxLogStore,
  type SandboxPolicy,
  SandgateError,
  type ServerKey,
  type Storage,
  startUsageUpkeep,
  startWorkspacePurge,
  type Timers,
  type Workspace,
} from '@sandgate/core';
import type { Logger } from 'pino';
import { createStoreOverview } from './administration/store-overview.ts';
import { createAlerting } from './alerting.ts';
import { createAuditScope, serverTimers } from './audit-scope.ts';
import { isLoopback, limitsOf, type ServerConfig, standardPlan } from './config/index.ts';
import { type AppDependencies, createApp } from './http/app.ts';
import { createDevelopmentAuthorizer } from './http/authorize/development-authorizer.ts';
import { createKeyAuthorizer } from './http/authorize/key-authorizer.ts';
import { listen } from './http/listen.ts';
import { createDirectAnswers } from './http/native/direct-answers.ts';
import { createTurnEnd } from './http/turn-end.ts';
import { warmUp } from './http/warm-up.ts';
import { createTextSealer } from './identity/text-sealer.ts';
import { createOpenedParts, type OpenedParts } from './opened-parts.ts';
import { outboundUrlProblem } from './outbound/outbound-target.ts';
import { resolveHost } from './outbound/resolve-host.ts';
import { createPeople } from './people.ts';
import type { SandboxReference } from './process/control-socket.ts';
import type { ServerStatus } from './process/server-status.ts';
import { createProgramSignIn } from './program-sign-in.ts';
import { createRegistryGate } from './registry/registry-gate.ts';
import { sandboxPolicyOf } from './sandbox-policy-of.ts';
import { nextCronMs } from './schedule/next-cron.ts';
import { createUpstreams } from './upstreams.ts';
import { webhookPolicy } from './webhook/webhook-policy.ts';

/** Everything that a server needs of the outside, chosen and opened by `main.ts`. */
export interface ServerParts {
  readonly config: ServerConfig;
  /** PEM texts of `config.tls`. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly developmentMode: boolean;
  readonly storage: Storage;
  readonly counters: Counters;
  readonly engine: Engine;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly timers: Timers;
  readonly log: Logger;
  readonly sandboxLogs: SandboxLogStore;
  readonly realPath: SandboxPolicy['realPath'];
  readonly version: string;
  readonly serverKey: ServerKey;
  /** Replaces the stored server key, and revokes every API key. */
  readonly replaceServerKey: () => Promise<{
    readonly serverKey: ServerKey;
    readonly revokedKeys: number;
  }>;
}

export interface Server {
  /** Base address, as in `http://127.0.0.1:5555`. */
  readonly address: string;
  readonly engineReport: EngineReport;
  /** A key for everything, made once in the life of a server: null when it has had one. */
  mintFirstKey(): Promise<string | null>;
  /** With which the first user is made; null when there are users, and in development mode. */
  readonly setupToken: string | null;
  status(): Promise<ServerStatus>;
  resetServerKey(): Promise<{ readonly revokedKeys: number }>;
  /** Ends a sandbox for ever, with its files, on the operator's own request. */
  removeSandbox(reference: SandboxReference): Promise<void>;
  /** Takes no more calls, lets those in progress end, and stops the sandboxes. Idempotent. */
  close(onProgress?: (message: string) => void): Promise<void>;
}

const dayMs = 86_400_000;

/** @throws SandgateError `config_invalid` */
function requireLoopback(host: string): void {
  if (isLoopback(host)) return;
  throw new SandgateError(
    'config_invalid',
    `Development mode asks for no key, so it listens on loopback only, and not on ${host}. Leave --host out, or --dev`,
  );
}

/** Puts the parts together, makes the records agree with the machine, and listens. */
export async function startServer(parts: ServerParts): Promise<Server> {
  const opened = createOpenedParts();
  try {
    return await openServer(parts, opened);
  } catch (error) {
    // Why it could not start is what matters.
    await opened.close().catch(() => undefined);
    throw error;
  }
}

async function openServer(given: ServerParts, opened: OpenedParts): Promise<Server> {
  const auditScope = createAuditScope();
  const parts = { ...given, timers: serverTimers(given.timers, auditScope) };
  const { config, storage, engine, clock, randomness, log, developmentMode } = parts;
  if (developmentMode) requireLoopback(config.host);
  const startedAtMs = clock.nowMs();
  let serverKey = parts.serverKey;
  const keyDependencies = { storage, clock, randomness, serverKey: () => serverKey };

  const auditLog = createAuditLog({ audit: storage.audit, clock, serverKey: () => serverKey });
  const policy = sandboxPolicyOf(config, parts.realPath);
  const sandboxDefaults = { image: policy.defaultImage, resources: policy.defaults };
  const plainSandboxes = createSandboxes({
    storage,
    engine,
    sealer: createTextSealer(() => serverKey, randomness),
    clock,
    randomness,
    timers: parts.timers,
    policy,
    logs: parts.sandboxLogs,
    callerKey: () => keyNumberOf(auditScope.current()),
    nextCronMs,
    onEnded: ({ id, workspaceId, name }, reason) =>
      auditLog.record({
        actor: { kind: 'server' },
        action: 'sandbox.destroy',
        target: `sandbox:${id}`,
        workspaceId,
        details: { name, reason },
      }),
    onBackgroundError: (error, { id }) => log.error({ err: error, id }, 'sandboxes failed'),
  });
  const sandboxes = auditSandboxes(plainSandboxes, auditLog, auditScope.current);
  // The engine too, which is theirs from here.
  opened.add(() => sandboxes.close());
  const engineReport = await engine.probe();
  await sandboxes.reconcile();

  const refusals = createRefusalRecorder({
    auditLog,
    clock,
    timers: parts.timers,
    onError: (error) => log.error({ err: error }, 'refusals could not be recorded'),
  });
  opened.add(() => refusals.close());
  const callRecorder = createCallRecorder({
    auditLog,
    clock,
    timers: parts.timers,
    onError: (error) => log.error({ err: error }, 'calls of tools could not be recorded'),
  });
  opened.add(() => callRecorder.close());
  const keyLimits = (key: ApiKey, workspace: Workspace | null): RequestLimits =>
    limitsOf(config, key, workspace);
  const alerting = createAlerting({
    ...keyDependencies,
    timers: parts.timers,
    counters: parts.counters,
    limitsOf: keyLimits,
    webhookPolicy: webhookPolicy(config.webhooks),
    onError: (error) => log.error({ err: error }, 'alerting failed'),
  });
  opened.add(() => alerting.close());
  const people = await createPeople({
    ...parts,
    ...keyDependencies,
    config: config.identity,
    onError: (error) => log.error({ err: error }, 'ended sessions could not be removed'),
  });
  opened.add(() => people.close());
  const purge = startWorkspacePurge({
    ...parts,
    auditLog,
    sandboxes: {
      destroy: (workspace, reference) =>
        auditScope.run({ actor: { kind: 'server' } }, () =>
          sandboxes.destroy(workspace, reference),
        ),
      deleteSnapshot: (workspace, snapshotId) =>
        auditScope.run({ actor: { kind: 'server' } }, () =>
          sandboxes.deleteSnapshot(workspace, snapshotId),
        ),
      deleteVolume: (workspace, reference) =>
        auditScope.run({ actor: { kind: 'server' } }, () =>
          sandboxes.deleteVolume(workspace, reference),
        ),
    },
    onError: (error) => log.error({ err: error }, 'a closed workspace could not be purged'),
  });
  opened.add(() => purge.close());
  const upstreams = createUpstreams({
    ...{ storage, sandboxes, clock, config, log },
    timers: parts.timers,
    logs: parts.sandboxLogs,
    asServer: (work) => auditScope.run({ actor: { kind: 'server' } }, work),
  });
  opened.add(() => upstreams.close());
  const turnEnd = createTurnEnd(storage.atOneMoment);
  const doors: AppDependencies = {
    ...keyDependencies,
    ...people.services,
    onRefusal: refusals.refuse,
    purgeClosed: purge.purgeClosed,
    oauth: developmentMode
      ? null
      : createProgramSignIn({
          ...parts,
          ...keyDependencies,
          ...people,
          config: config.identity,
          auditLog,
        }),
    oauthGrantDays: config.identity.oauth.grantDays,
    limitsOf: keyLimits,
    plans: config.plans,
    sandboxUrls: {
      publicUrl: config.identity.publicUrl,
      wildcardUrl: config.sandbox.wildcardUrl,
    },
    mayHaveKey: ({ plan }) => (config.plans[plan]?.sandboxes ?? standardPlan).apiKeys,
    auditLog,
    version: parts.version,
    webhookProblem: (url) => outboundUrlProblem(url, webhookPolicy(config.webhooks)),
    timers: parts.timers,
    callRecorder,
    upstreams,
    upstreamProblem: upstreams.problem,
    registryGate: createRegistryGate({
      allowedPrivateHosts: config.images.allowedPrivateHosts,
      resolve: resolveHost,
    }),
    openCallsPerMinute: config.mcp.openCallsPerMinute,
    authorizer: developmentMode
      ? createDevelopmentAuthorizer({
          ...keyDependencies,
          auditLog,
          sandboxes,
          auditAs: auditScope.run,
        })
      : createKeyAuthorizer({
          ...keyDependencies,
          auditLog,
          accessTokens: people.services.accessTokens,
          counters: parts.counters,
          limitsOf: keyLimits,
          ledger: createUsageLedger(storage.usage, turnEnd.settle),
          failures: createFailureBudget(),
          timers: parts.timers,
          onError: (error) => log.error({ err: error }, 'open calls could not be looked at'),
          sandboxesFor: ({ restrictions }) =>
            restrictSandboxes(sandboxes, restrictions, sandboxDefaults),
          onAccepted: alerting.observeAddress,
          onRefusal: refusals.refuse,
          auditAs: auditScope.run,
        }),
    log,
    developmentMode,
  };
  const app = createApp(doors);
  await warmUp(app, { ...doors, sandboxes });
  const listener = await listen(app, {
    host: config.host,
    port: config.port,
    tls: parts.tls,
    // Development mode looks at where a request comes from first.
    ...(developmentMode ? {} : { direct: createDirectAnswers(doors, turnEnd) }),
  });
  opened.add(() => listener.close(config.shutdown.drainSeconds * 1_000));
  alerting.start();
  people.startUpkeep();
  const upkeep = startUsageUpkeep({
    usage: storage.usage,
    clock,
    timers: parts.timers,
    elapsedMs: () => performance.now(),
    retentionMs: config.usage.retentionDays * dayMs,
    onError: (error) => log.error({ err: error }, 'usage could not be rolled up or pruned'),
  });
  opened.add(() => upkeep.close());
  const overview = createStoreOverview(storage);
  log.info({ address: listener.address, engine: engineReport.engine }, 'listening');

  const inTurn = createKeyedQueue();
  let closing: Promise<void> | null = null;
  return {
    address: listener.address,
    engineReport,
    setupToken: developmentMode ? null : people.services.setup.token,
    mintFirstKey: async () =>
      developmentMode ? null : await mintFirstKey(keyDependencies, auditLog),
    async status() {
      const { keys, sandboxes: counted } = await overview.counts();
      return {
        pid: process.pid,
        address: listener.address,
        version: parts.version,
        startedAtMs,
        authentication: developmentMode ? 'development' : 'required',
        keys,
        sandboxes: { total: counted.total, running: sandboxes.runningCount() },
        engine: {
          name: engineReport.engine,
          usable: engineReport.usable,
          remarks: engineReport.findings
            .filter(({ status }) => status !== 'ok')
            .map(({ message, remedy }) =>
              remedy === undefined ? message : `${message} ${remedy}`,
            ),
        },
      };
    },
    resetServerKey: () =>
      // One at a time: file, store and this process must end with the same key.
      inTurn('server key', async () => {
        const replaced = await parts.replaceServerKey();
        serverKey = replaced.serverKey;
        log.warn({ revokedKeys: replaced.revokedKeys }, 'the server key was reset');
        return { revokedKeys: replaced.revokedKeys };
      }),
    async removeSandbox({ namespace, name }) {
      const workspace = await storage.workspaces.findBySlug(namespace);
      if (workspace === null) {
        throw new SandgateError('workspace_not_found', `Namespace '${namespace}' not found`);
      }
      const operator = { actor: { kind: 'operator' } } as const;
      await auditScope.run(operator, () => sandboxes.destroy(workspace, name));
    },
    close(onProgress = () => undefined) {
      const running = sandboxes.runningCount();
      if (closing === null && running > 0) {
        onProgress(
          `${running} ${running === 1 ? 'sandbox is' : 'sandboxes are'} stopped after them`,
        );
      }
      closing ??= opened.close();
      return closing;
    },
  };
}

/** Whoever is asking, when it is a key. */
function keyNumberOf({ actor }: AuditContext): number | null {
  return actor.kind === 'key' ? actor.keyNumber : null;
}

/**
 * A key for everything, where there has never been one. A home whose first key was one of a
 * namespace gets it too; one whose operator key was revoked does not.
 */
async function mintFirstKey(
  dependencies: KeyDependencies,
  auditLog: AuditLog,
): Promise<string | null> {
  const operatorKeys = await dependencies.storage.keys.list({
    workspaceId: null,
    includeRevoked: true,
  });
  if (operatorKeys.some(({ scopes }) => scopes.includes('*'))) return null;
  const { text } = await auditKeyChange(
    auditLog,
    { actor: { kind: 'server' }, action: 'key.issue' },
    (change) => issueKey({ ...dependencies, change }, { name: 'first operator key' }),
  );
  return text;
}
