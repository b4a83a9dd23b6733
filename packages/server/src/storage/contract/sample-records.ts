import { createHash } from 'node:crypto';
import {
  type ApiKey,
  type ApiKeySecret,
  type AuditLog,
  createAuditLog,
  type McpServer,
  type NewUser,
  type Registry,
  type Sandbox,
  type SandboxImage,
  type Snapshot,
  type SnapshotFacts,
  type Storage,
  type User,
  type Volume,
  type Workspace,
} from '@sandgate/core';

export type NewKey = Omit<ApiKey, 'number' | 'revision'>;

/** 24 hex digits that sort as the numbers do. */
export const sampleId = (number: number): string => number.toString(16).padStart(24, '0');

export const sampleDigest = (label: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(label).digest());

export function sampleKey(number: number, changes: Partial<NewKey> = {}): NewKey {
  return {
    id: sampleId(number),
    lineageId: sampleId(number),
    name: `key ${number}`,
    description: 'for "tests", with an é and a 鍵',
    prefix: 'msb_',
    lastFour: '0a1b',
    workspaceId: null,
    ownerId: null,
    followsOwner: false,
    scopes: ['*'],
    addressAllowList: [],
    expiresAtMs: null,
    enabled: true,
    createdAtMs: 1_800_000_000_000 + number,
    lastUsedAtMs: null,
    usageCount: 0,
    revokedAtMs: null,
    parentNumber: null,
    limits: {},
    restrictions: {},
    metadata: {},
    ...changes,
  };
}

export function sampleSecret(
  keyId: string,
  label: string,
  changes: Partial<ApiKeySecret> = {},
): ApiKeySecret {
  return {
    digest: sampleDigest(label),
    keyId,
    serverKeyVersion: 1,
    createdAtMs: 1_800_000_000_000,
    validUntilMs: null,
    ...changes,
  };
}

export function sampleWorkspace(number: number, slug = `workspace-${number}`): Workspace {
  return {
    id: sampleId(number),
    uuid: `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`,
    slug,
    name: `Workspace ${number}`,
    description: 'for "tests"',
    plan: 'standard',
    createdBy: null,
    createdAtMs: 1_800_000_000_000 + number,
    updatedAtMs: 1_800_000_000_001 + number,
  };
}

interface SandboxIdentity {
  readonly number: number;
  readonly workspaceId: string;
  readonly name: string;
}

export function sampleSandbox({ number, workspaceId, name }: SandboxIdentity): Sandbox {
  return {
    id: sampleId(number),
    workspaceId,
    name,
    definition: {
      image: 'microsandbox/python',
      resources: { memoryMib: 512, cpus: 0.5, diskMib: 1024, maxProcesses: 64 },
      environment: { GREETING: 'grüße', EMPTY: '' },
      workdir: '/work',
      shell: '/bin/sh',
      scripts: { start: 'echo "1"\n' },
      exec: null,
      dependsOn: ['database'],
      mounts: [{ hostPath: '/srv/data', guestPath: '/data', readOnly: true }],
    },
    template: 'python',
    labels: { team: 'grün', 'a.b"c': "it's" },
    egress: { mode: 'restricted', allow: ['*.example.com', '192.0.2.0/24'] },
    volumes: [{ volumeId: sampleId(number), guestPath: '/cache', readOnly: false }],
    fromSnapshot: sampleId(number),
    lifetime: {
      expiresAtMs: 1_900_000_000_000,
      idleTimeoutMs: 60_000,
      maxLifetimeMs: null,
      pausedTimeoutMs: 3_600_000,
      oneShot: true,
    },
    snapshotSchedule: { cron: '0 3 * * *', keep: 7 },
    createdByKey: number,
    createdAtMs: 1_800_000_000_000 + number,
    updatedAtMs: 1_800_000_000_000 + number,
    lastActivityAtMs: 1_800_000_000_000 + number,
    pausedAtMs: 1_800_000_000_000,
    state: 'starting',
  };
}

export function sampleSnapshot(number: number, changes: Partial<SnapshotFacts> = {}): Snapshot {
  return {
    id: sampleId(number),
    workspaceId: sampleId(1),
    sandboxId: sampleId(100),
    name: `snapshot-${number}`,
    template: 'python',
    definition: sampleSandbox({ number, workspaceId: sampleId(1), name: 'box' }).definition,
    automatic: number % 2 === 0,
    createdAtMs: 1_800_000_000_000 + number,
    expiresAtMs: number % 2 === 0 ? null : 1_900_000_000_000,
    ...changes,
    state: 'creating',
  };
}

export function sampleVolume(number: number, changes: Partial<Volume> = {}): Volume {
  return {
    id: sampleId(number),
    workspaceId: sampleId(1),
    name: `volume-${number}`,
    sizeMib: 10_240,
    state: 'ready',
    region: number % 2 === 0 ? null : 'eu-west',
    attachedSandboxId: null,
    guestPath: null,
    lastAttachedAtMs: null,
    createdAtMs: 1_800_000_000_000 + number,
    updatedAtMs: 1_800_000_000_000 + number,
    ...changes,
  };
}

/** Stores key `number` under server key 1, with a secret whose digest is that of `label`. */
export async function storeKey(
  storage: Storage,
  number: number,
  label = `secret ${number}`,
  changes: Partial<NewKey> = {},
): Promise<ApiKey> {
  const key = sampleKey(number, changes);
  return await storage.keys.insert(key, sampleSecret(key.id, label));
}

export const sampleServerKey = { version: 1, secret: new Uint8Array(32).fill(7) };

/** The audit log of a store, at a time that stands still. */
export const auditLogOver = (storage: Storage): AuditLog =>
  createAuditLog({
    audit: storage.audit,
    clock: { nowMs: () => 1_800_000_000_000 },
    serverKey: () => sampleServerKey,
  });

export function samplePerson(number: number, changes: Partial<NewUser> = {}): NewUser {
  return {
    id: sampleId(number),
    email: `person${number}@example.com`,
    name: `Person ${number}`,
    passwordHash: '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA',
    emailVerified: true,
    enabled: true,
    createdAtMs: 1_800_000_000_000 + number,
    ...changes,
  };
}

/** Stores person `number`, at home in a workspace of their own. */
export const storePerson = async (storage: Storage, number: number): Promise<User> =>
  await storage.users.insert(samplePerson(number), sampleWorkspace(number));

let mcpServers = 0;

/** With an id of its own each time. */
export const sampleMcpServer = (
  facts: Pick<McpServer, 'name' | 'workspaceId'> & Partial<McpServer>,
): McpServer => ({
  id: `5${(mcpServers++).toString(16).padStart(23, '0')}`,
  upstream: { kind: 'url', url: 'https://mcp.example.com/mcp' },
  authentication: true,
  headerNames: ['authorization'],
  sealedHeaders: { sealed: Uint8Array.of(1, 2, 3), serverKeyVersion: 1 },
  allowedOrigins: ['https://app.example.com'],
  healthPath: '/health',
  enabled: true,
  createdAtMs: 10,
  updatedAtMs: 11,
  ...facts,
});

let registries = 0;

/** With an id of its own each time. */
export const sampleRegistry = (
  facts: Pick<Registry, 'name' | 'workspaceId'> & Partial<Registry>,
): Registry => ({
  id: `6${(registries++).toString(16).padStart(23, '0')}`,
  server: 'registry.test',
  allowHttp: false,
  username: 'robot',
  sealedPassword: { sealed: Uint8Array.of(1, 2, 3), serverKeyVersion: 1 },
  email: null,
  enabled: true,
  createdAtMs: 10,
  updatedAtMs: 11,
  ...facts,
});

let images = 0;

/** With an id of its own each time. */
export const sampleImage = (
  facts: Pick<SandboxImage, 'name' | 'workspaceId'> & Partial<SandboxImage>,
): SandboxImage => ({
  id: `7${(images++).toString(16).padStart(23, '0')}`,
  image: 'debian',
  tag: 'latest',
  registryId: null,
  description: null,
  enabled: true,
  isDefault: false,
  memoryMib: null,
  ttlMs: null,
  createdAtMs: 10,
  updatedAtMs: 11,
  ...facts,
});
