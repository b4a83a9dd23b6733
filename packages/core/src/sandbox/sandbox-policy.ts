import type { EgressPolicy } from '../port/engine-egress.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { SandboxResources } from './sandbox-definition.ts';
import type { SandboxLifetime } from './sandbox-lifetime.ts';
import { type SandboxLimits, unlimitedSandboxes } from './sandbox-limits.ts';
import type { StoredLimits } from './stored-quota.ts';
import type { TemplateAlias } from './template.ts';

export interface AllowedHostPath {
  readonly path: string;
  readonly readOnly: boolean;
}

/** What the operator decides about sandboxes. */
export interface SandboxPolicy {
  /** Image of a sandbox that is started without one. */
  readonly defaultImage: string;
  /** Name of the template of a sandbox that is created without one. */
  readonly defaultTemplate: string;
  readonly defaults: SandboxResources;
  readonly maxima: SandboxResources;
  /** Host directories that a sandbox may mount, with everything beneath them. */
  readonly allowedHostPaths: readonly AllowedHostPath[];
  /** The real path of a host path, or null where there is none: links must not lead out. */
  readonly realPath: (hostPath: string) => string | null;
  /** Sandboxes that may run at once on this host. */
  readonly maxSandboxes: number;
  /** What they may have together. Null: as much as they ask for. */
  readonly capacity: Pick<SandboxLimits, 'cpus' | 'memoryMib'>;
  readonly stored: StoredLimits;
  /** What the plan of a workspace allows. */
  readonly limitsOf: (workspace: Workspace) => SandboxLimits;
  readonly launch: {
    /** Engine starts that go on at once. */
    readonly parallel: number;
    /** How long one may wait for its turn. */
    readonly queueMs: number;
  };
  /** Further names for images. */
  readonly templates: Readonly<Record<string, TemplateAlias>>;
  /** Sandboxes kept ready, by the name of their template. */
  readonly pool: Readonly<Record<string, number>>;
  /** Of what is created without saying. */
  readonly lifetime: Omit<SandboxLifetime, 'expiresAtMs' | 'oneShot'>;
  readonly egress: EgressPolicy;
  readonly processes: {
    /** Output that is kept of each. */
    readonly outputBytes: number;
    /** Running at once in one sandbox. */
    readonly perSandbox: number;
    /** How long what is known of one that ended is kept. */
    readonly keptMs: number;
  };
  /** How long the record of a destroyed sandbox is kept. */
  readonly destroyedRetentionMs: number;
  /** How often metrics are read for the history. Null: never. */
  readonly statsEveryMs: number | null;
}

/** Everything but what belongs to one host: a server without any configuration. */
export const standardSandboxPolicy = {
  defaultImage: 'microsandbox/python',
  defaultTemplate: 'python',
  defaults: { memoryMib: 1_024, cpus: 1, diskMib: 1_024, maxProcesses: 256 },
  maxima: { memoryMib: 8_192, cpus: 8, diskMib: 10_240, maxProcesses: 4_096 },
  allowedHostPaths: [],
  maxSandboxes: 100,
  capacity: { cpus: null, memoryMib: null },
  limitsOf: () => unlimitedSandboxes,
  launch: { parallel: 4, queueMs: 20_000 },
  templates: {},
  pool: {},
  lifetime: { idleTimeoutMs: null, maxLifetimeMs: null, pausedTimeoutMs: null },
  egress: { mode: 'deny_all' },
  processes: { outputBytes: 1_048_576, perSandbox: 64, keptMs: 3_600_000 },
  destroyedRetentionMs: 7 * 86_400_000,
  statsEveryMs: 15_000,
} as const satisfies Partial<SandboxPolicy>;
