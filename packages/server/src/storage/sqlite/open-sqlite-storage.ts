import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, SandgateError, type Storage } from '@sandgate/core';
import { SqliteAlertStore } from './alert-store.ts';
import { SqliteAuditStore } from './audit-store.ts';
import { Checkpointer } from './checkpointer.ts';
import { SqliteIdempotencyStore } from './idempotency-store.ts';
import { SqliteIdentityStore } from './identity-store.ts';
import { SqliteImageStore } from './image-store.ts';
import { SqliteInvitationStore } from './invitation-store.ts';
import { SqliteKeyStore } from './key-store.ts';
import { loadSqlite } from './load-sqlite.ts';
import { SqliteMcpServerStore } from './mcp-server-store.ts';
import { SqliteMemberStore } from './member-store.ts';
import { allMigrations } from './migrations/all-migrations.ts';
import { migrate } from './migrations/migrate.ts';
import { SqliteOauthStore } from './oauth-store.ts';
import { makePrivateFile } from './private-file.ts';
import { SqliteRegistryStore } from './registry-store.ts';
import { SqliteSandboxStore } from './sandbox-store.ts';
import { SqliteServerKeyStore } from './server-key-store.ts';
import { SqliteSessionStore } from './session-store.ts';
import { SqliteSigningKeyStore } from './signing-key-store.ts';
import { SqliteSnapshotStore } from './snapshot-store.ts';
import { type Durability, SqliteConnection } from './sqlite-connection.ts';
import { sqliteCode, toStorageFailure } from './storage-failure.ts';
import { SqliteTicketStore } from './ticket-store.ts';
import { SqliteUsageStore } from './usage-store.ts';
import { UsageTail } from './usage-tail.ts';
import { SqliteUserStore } from './user-store.ts';
import { SqliteVolumeStore } from './volume-store.ts';
import { SqliteWebhookStore } from './webhook-store.ts';
import { SqliteWorkspaceStore } from './workspace-store.ts';

export interface SqliteStorageOptions {
  /** Path of the database file, made with mode 0600 when it is not there. Its folder must exist. */
  readonly file: string;
  /**
   * How long a change waits for another process that is writing; 2000 by default. The whole process
   * waits with it, since SQLite answers in the calling thread.
   */
  readonly busyTimeoutMs?: number;
  /**
   * What the commit of a use count or a sandbox's state waits for; `normal` by default, with which a
   * power failure may undo the last ones. Everything about keys and workspaces is always `full`.
   */
  readonly synchronous?: Durability;
  /** Tells when a key that was read has come to its end. The machine's own by default. */
  readonly clock?: Clock;
}

const machineClock: Clock = { nowMs: () => Date.now() };

const cacheKib = 262_144;
/** Over what the thread lets the log become. */
const largestLogPages = 524_288;

/**
 * Opens a database, makes it or brings it to the newest schema. Any number of processes may have
 * the same file open at once, on one machine and a local file system (WAL needs shared memory).
 * @throws SandgateError `storage_unavailable`
 */
export async function openSqliteStorage({
  file,
  busyTimeoutMs = 2000,
  synchronous = 'normal',
  clock = machineClock,
}: SqliteStorageOptions): Promise<Storage> {
  try {
    makePrivateFile(file);
    const { DatabaseSync } = loadSqlite();
    const database = new DatabaseSync(file, {
      timeout: busyTimeoutMs,
      enableForeignKeyConstraints: true,
    });
    try {
      await enterWalMode(database, busyTimeoutMs);
      tune(database);
      // A power failure may undo the last migrations, and none by half: the next start has them done
      // again. What is stored after them says itself what it waits for, and takes them to the disk along.
      database.exec('pragma synchronous = normal');
      migrate(database, allMigrations);
      return storageOver(database, new Checkpointer(file), { synchronous, clock });
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw toOpenFailure(error, file);
  }
}

/**
 * Pages of look-ups stay in memory. The thread of the `Checkpointer` empties the log; this connection
 * does so only when that thread cannot, or when it is closed. Nobody makes the log's file shorter
 * meanwhile: that would be done by the commit that begins it anew, and giving back a quarter of a
 * gigabyte takes a disk half a second.
 */
function tune(database: DatabaseSync): void {
  database.exec(`pragma cache_size = -${cacheKib}; pragma temp_store = memory;
    pragma wal_autocheckpoint = ${largestLogPages}`);
}

function storageOver(
  database: DatabaseSync,
  checkpointer: Checkpointer,
  { synchronous, clock }: { readonly synchronous: Durability; readonly clock: Clock },
): Storage {
  const connection = new SqliteConnection(database, checkpointer);
  const tail = new UsageTail(connection);
  return {
    keys: new SqliteKeyStore(connection, tail, clock),
    serverKeys: new SqliteServerKeyStore(connection),
    workspaces: new SqliteWorkspaceStore(connection),
    sandboxes: new SqliteSandboxStore(connection, synchronous),
    snapshots: new SqliteSnapshotStore(connection, synchronous),
    volumes: new SqliteVolumeStore(connection, synchronous),
    idempotency: new SqliteIdempotencyStore(connection, synchronous),
    alerts: new SqliteAlertStore(connection, synchronous),
    webhooks: new SqliteWebhookStore(connection, synchronous),
    audit: new SqliteAuditStore(connection, synchronous),
    tickets: new SqliteTicketStore(connection, synchronous),
    usage: new SqliteUsageStore(connection, tail, synchronous),
    atOneMoment: (work) => connection.atOneMoment(work),
    users: new SqliteUserStore(connection),
    identities: new SqliteIdentityStore(connection),
    invitations: new SqliteInvitationStore(connection),
    images: new SqliteImageStore(connection),
    registries: new SqliteRegistryStore(connection),
    mcpServers: new SqliteMcpServerStore(connection),
    members: new SqliteMemberStore(connection),
    sessions: new SqliteSessionStore(connection, synchronous),
    signingKeys: new SqliteSigningKeyStore(connection),
    oauth: new SqliteOauthStore(connection, clock),
    async close() {
      await checkpointer.close();
      connection.close();
    },
  };
}

const busy = 5;
const retryAfterMs = 10;

/**
 * SQLite does not wait its busy timeout when two connections change the journal mode of a new file
 * at once, so that the waiting is done here.
 */
async function enterWalMode(database: DatabaseSync, busyTimeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      const mode = database.prepare('pragma journal_mode = wal').get()?.journal_mode;
      if (mode === 'wal') return;
      throw new SandgateError(
        'storage_unavailable',
        'SQLite cannot share a database on this file system. Keep it on a local disk',
      );
    } catch (error) {
      const isBusy = ((sqliteCode(error) ?? 0) & 0xff) === busy;
      if (!isBusy || performance.now() >= deadlineMs) throw error;
      await pause(retryAfterMs);
    }
  }
}

function toOpenFailure(error: unknown, file: string): unknown {
  if (error instanceof SandgateError || sqliteCode(error) !== null) return toStorageFailure(error);
  if (error instanceof Error && 'syscall' in error) {
    return new SandgateError(
      'storage_unavailable',
      'The database cannot be opened. Check that its folder exists and may be written to',
      { detail: `${file}: ${error.message}`, cause: error },
    );
  }
  return error;
}
