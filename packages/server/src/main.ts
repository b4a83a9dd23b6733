import { randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Clock,
  type EngineReport,
  type Randomness,
  SandgateError,
  sealEnvironments,
  type Timers,
} from '@sandgate/core';
import { type Administration, createAdministration } from './administration/administration.ts';
import {
  type ConfigFlags,
  isLoopback,
  limitsOf,
  loadConfig,
  type ServerConfig,
} from './config/index.ts';
import { createMemoryCounters } from './counters/memory/memory-counters.ts';
import { createEngine } from './create-engine.ts';
import { createTextSealer } from './identity/text-sealer.ts';
import { createOpenedParts, type OpenedParts } from './opened-parts.ts';
import { packageVersion } from './package-version.ts';
import {
  claimHome,
  collectInOneThread,
  createSandboxLogs,
  loadEnvironmentKey,
  openControlSocket,
  openServerKey,
  openServerLog,
  prepareHome,
  replaceServerKey,
  type ServerClaim,
  type ServerKeySource,
  type ServerRecord,
  type ServerStatus,
  serverLogPath,
} from './process/index.ts';
import { openSqliteStorage } from './storage/sqlite/open-sqlite-storage.ts';

export type { Administration } from './administration/administration.ts';
export type { AuditEntryView, AuditQuery } from './administration/audit-administration.ts';
export type {
  IssuedKeyView,
  KeyListFilter,
  KeyUpdate,
} from './administration/key-administration.ts';
export type { ApiKeyDetails, ApiKeyView } from './administration/key-view.ts';
export type { SandboxView } from './administration/store-overview.ts';
export type {
  KeyStatistics,
  Statistics,
  UsageQuery,
  UsageRowView,
} from './administration/usage-administration.ts';
export type { UserAdministration, UserView } from './administration/user-administration.ts';
export type { ConfigFlags } from './config/index.ts';
export type {
  CreateSandboxFields,
  EgressChange,
  EgressFields,
  EgressItem,
  FileEntryItem,
  ImageItem,
  ImageList,
  LogPart,
  McpServerItem,
  McpServerPage,
  MetricsItem,
  PulledImageItem,
  RegistryItem,
  RegistryPage,
  RegistryTestAnswer,
  SandboxItem,
  SandboxPage,
  SandboxWait,
  SnapshotItem,
  SnapshotPage,
  SnapshotScheduleItem,
  StatsItem,
  TemplateList,
  UpdateSandboxFields,
  VolumeItem,
  VolumePage,
} from './http/native/api-types.ts';
export { packageVersion } from './package-version.ts';
export {
  chooseHome,
  chooseServerKeySource,
  controlClient,
  findRunningServer,
  isStillRunning,
  prepareHome,
  type ServerKeySource,
  type ServerRecord,
  type ServerStatus,
  sandboxLogPath,
  serverLogPath,
} from './process/index.ts';

const clock: Clock = { nowMs: () => Date.now() };
const randomness: Randomness = { bytes: (length) => randomBytes(length) };
const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface ServerOptions {
  /** State directory, as `chooseHome` gives it. */
  readonly home: string;
  readonly flags?: ConfigFlags;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly developmentMode?: boolean;
  readonly serverKeySource?: ServerKeySource;
  /** Makes a new server key first: every API key is revoked. */
  readonly resetServerKey?: boolean;
}

export interface RunningServer {
  /** Base address, as in `http://127.0.0.1:5555`. */
  readonly address: string;
  /** Made at the first start of a home, and shown this once. */
  readonly firstOperatorKey: string | null;
  /** With which the first user is made, at `POST /auth/setup`; null when there are users. */
  readonly setupToken: string | null;
  /** How many keys `resetServerKey` revoked. */
  readonly revokedKeys: number;
  readonly engine: EngineReport;
  /** For the operator, before anything else. */
  readonly warnings: readonly string[];
  status(): Promise<ServerStatus>;
  /** Drains, and releases everything. Idempotent. */
  close(onProgress?: (message: string) => void): Promise<void>;
  /** Resolves when somebody asked the server to stop through its control socket. */
  readonly stopRequested: Promise<void>;
  /** Resolves when it is closed, whoever closed it. */
  readonly closed: Promise<void>;
}

export type StartOutcome =
  | { readonly kind: 'started'; readonly server: RunningServer }
  /** Another process serves this home; its record is null while it is just starting. */
  | { readonly kind: 'already_running'; readonly record: ServerRecord | null };

const databasePath = (home: string): string => join(home, 'sandgate.db');

/** @throws SandgateError `config_invalid`, `server_key_mismatch`, `storage_unavailable` */
export async function startServer(options: ServerOptions): Promise<StartOutcome> {
  collectInOneThread();
  const { home } = options;
  const environment = options.environment ?? process.env;
  const homeWarnings = await prepareHome(home);
  const config = await loadConfig({ home, environment, flags: options.flags ?? {} });
  const claimed = await claimHome(home, { version: packageVersion, startedAtMs: clock.nowMs() });
  if (claimed.kind === 'taken') return { kind: 'already_running', record: claimed.record };

  const opened = createOpenedParts();
  opened.add(() => claimed.claim.release());
  try {
    const server = await open(options, { home, environment, config, claim: claimed.claim }, opened);
    let finish: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let closing: Promise<void> | null = null;
    return {
      kind: 'started',
      server: {
        ...server,
        warnings: [...homeWarnings, ...server.warnings],
        closed,
        close(onProgress) {
          closing ??= server
            .close(onProgress)
            .finally(() => opened.close())
            .finally(finish);
          return closing;
        },
      },
    };
  } catch (error) {
    // Why it could not start is what matters.
    await opened.close().catch(() => undefined);
    throw error;
  }
}

interface OpenContext {
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly config: ServerConfig;
  readonly claim: ServerClaim;
}

async function open(
  options: ServerOptions,
  { home, environment, config, claim }: OpenContext,
  opened: OpenedParts,
): Promise<Omit<RunningServer, 'closed'>> {
  const log = await openServerLog({
    level: config.log.level,
    file: config.log.destination === 'file' ? serverLogPath(home) : null,
  });
  const stored = await openSqliteStorage({
    file: databasePath(home),
    synchronous: config.storage.synchronous,
    clock,
  });
  opened.add(() => stored.close());
  const environmentKey = await loadEnvironmentKey(home);
  const sealer = createTextSealer(() => environmentKey, randomness);
  const storage = sealEnvironments(stored, sealer);
  const source = options.serverKeySource ?? { kind: 'home' };
  const place = { home, source, storage, clock };
  const keys = await openServerKey(place, { reset: options.resetServerKey ?? false });
  const engine = await createEngine(home, config, environment, clock, (image, progress) =>
    log.info({ image, ...progress }, 'pulling an image'),
  );
  opened.add(() => engine.close());
  const { startServer: startServerFromParts } = await import('./start-server.ts');
  const server = await startServerFromParts({
    config,
    tls: await readTls(config),
    developmentMode: options.developmentMode ?? false,
    storage,
    counters: createMemoryCounters(storage.usage),
    engine,
    hasher: await createHasher(config),
    clock,
    randomness,
    timers,
    log,
    sandboxLogs: createSandboxLogs(home),
    realPath: realPathOrNull,
    version: packageVersion,
    serverKey: keys.serverKey,
    replaceServerKey: () => replaceServerKey(place),
  });
  opened.add(() => server.close());
  let requestStop: () => void = () => undefined;
  const stopRequested = new Promise<void>((resolve) => {
    requestStop = resolve;
  });
  const control = await openControlSocket(home, {
    record: () => claim.record(),
    status: () => server.status(),
    resetServerKey: () => server.resetServerKey(),
    removeSandbox: (reference) => server.removeSandbox(reference),
    stop: requestStop,
  });
  opened.add(() => control.close());
  await claim.publishAddress(server.address);
  return {
    address: server.address,
    // Made when everything else has worked: a start that fails must not spend the one showing.
    firstOperatorKey: await server.mintFirstKey(),
    setupToken: server.setupToken,
    revokedKeys: keys.revokedKeys,
    engine: server.engineReport,
    warnings: [...keys.warnings, ...exposureWarnings(config)],
    status: () => server.status(),
    close: (onProgress) => server.close(onProgress),
    stopRequested,
  };
}

/** Keys are bearer tokens: whoever sees one pass can use it. */
function exposureWarnings({ host, tls }: ServerConfig): readonly string[] {
  if (tls !== null || isLoopback(host)) return [];
  return [
    `Keys and code cross the network in clear text on ${host}. Serve HTTPS with --tls-cert and ` +
      '--tls-key, or put a proxy with TLS in front and listen on 127.0.0.1.',
  ];
}

async function readTls(config: ServerConfig) {
  if (config.tls === null) return null;
  const read = async (path: string): Promise<string> => {
    try {
      return await readFile(path, 'utf8');
    } catch (cause) {
      throw new SandgateError('config_invalid', `The TLS file ${path} cannot be read`, { cause });
    }
  };
  return { cert: await read(config.tls.certPath), key: await read(config.tls.keyPath) };
}

/**
 * What only a server needs is loaded when one starts: most commands of `msb` are done before all of it
 * would be read.
 */
async function createHasher(config: ServerConfig) {
  const { createPasswordHasher } = await import('./identity/password-hasher.ts');
  return createPasswordHasher(config.identity.password);
}

function realPathOrNull(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/**
 * What this machine can do for sandboxes, found by trying. For `msb doctor`. It tries with a state
 * directory of its own: the home's belongs to the server that may be running on it.
 */
export async function probeEngine(options: {
  readonly home: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}): Promise<EngineReport> {
  const environment = options.environment ?? process.env;
  const { images, ...loaded } = await loadConfig({ home: options.home, environment });
  // Their directory is that of the server, too.
  const config = { ...loaded, images: { ...images, local: {}, templates: {} } };
  const stateDirectory = await mkdtemp(join(tmpdir(), 'sandgate-probe-'));
  try {
    const engine = await createEngine(stateDirectory, config, environment, clock, () => undefined);
    try {
      return await engine.probe();
    } finally {
      await engine.close();
    }
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
  }
}

export interface OpenAdministration extends Administration {
  close(): Promise<void>;
}

/**
 * The operator's own access to a home, whether or not a server runs on it. The server key is read
 * when something needs it, and made where the home has never had one.
 * @throws SandgateError `config_invalid`, `storage_unavailable`
 */
export async function openAdministration(options: {
  readonly home: string;
  readonly serverKeySource?: ServerKeySource;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}): Promise<OpenAdministration> {
  const { home } = options;
  const environment = options.environment ?? process.env;
  await prepareHome(home);
  const storage = await openSqliteStorage({ file: databasePath(home) });
  try {
    const source = options.serverKeySource ?? { kind: 'home' };
    const loadServerKey = async () =>
      (await openServerKey({ home, source, storage, clock })).serverKey;
    const administration = createAdministration({
      storage,
      clock,
      randomness,
      counters: createMemoryCounters(storage.usage),
      loadServerKey,
      async loadLimits() {
        const config = await loadConfig({ home, environment });
        return (key, workspace) => limitsOf(config, key, workspace);
      },
      async loadHasher() {
        const config = await loadConfig({ home, environment });
        return await createHasher(config);
      },
    });
    return { ...administration, close: () => storage.close() };
  } catch (error) {
    await storage.close();
    throw error;
  }
}
