import { type SandboxPolicy, standardSandboxPolicy } from '@sandgate/core';
import { type ServerConfig, standardPlan } from './config/index.ts';

const dayMs = 86_400_000;
const mebibyte = 1_048_576;

/** What sandboxes may be and take, by the configuration. */
export function sandboxPolicyOf(
  config: ServerConfig,
  realPath: SandboxPolicy['realPath'],
): SandboxPolicy {
  const { lifetime } = config.sandbox;
  return {
    ...standardSandboxPolicy,
    defaultTemplate: config.sandbox.template,
    defaults: config.sandbox.defaults,
    maxima: config.sandbox.maxima,
    allowedHostPaths: config.allowedHostPaths,
    realPath,
    maxSandboxes: config.maxSandboxes,
    capacity: config.capacity,
    stored: {
      sandboxesPerWorkspace: config.stored.sandboxesPerNamespace,
      sandboxes: config.stored.sandboxes,
      layerBytesPerWorkspace: config.stored.filesMibPerNamespace * mebibyte,
      layerBytes: config.stored.filesMib * mebibyte,
    },
    limitsOf: ({ plan }) => config.plans[plan]?.sandboxes ?? standardPlan,
    launch: {
      parallel: config.engine.parallelStarts,
      queueMs: config.launch.queueSeconds * 1_000,
    },
    templates: config.templates,
    pool: config.pool,
    lifetime: {
      idleTimeoutMs: inMs(lifetime.idleSeconds),
      maxLifetimeMs: inMs(lifetime.maxSeconds),
      pausedTimeoutMs: inMs(lifetime.pausedSeconds),
    },
    egress: { mode: config.sandbox.egress },
    processes: {
      outputBytes: config.processes.outputKib * 1_024,
      perSandbox: config.processes.perSandbox,
      keptMs: config.processes.keptSeconds * 1_000,
    },
    destroyedRetentionMs: config.stored.destroyedDays * dayMs,
    statsEveryMs: inMs(config.stats.everySeconds),
  };
}

const inMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);
