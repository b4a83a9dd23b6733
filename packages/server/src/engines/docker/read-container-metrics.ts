import type { SandboxMetrics } from '@sandgate/core';
import type Docker from 'dockerode';
import { explainDocker } from './docker-failure.ts';
import { layerBytes } from './layer-bytes.ts';

/** The daemon reads twice, a second apart, to tell how busy a container is. */
export async function readContainerMetrics(container: Docker.Container): Promise<SandboxMetrics> {
  try {
    const [stats, diskBytes] = await Promise.all([
      container.stats({ stream: false }),
      layerBytes(container),
    ]);
    const { cpu_stats: now, precpu_stats: before } = stats;
    const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
    const passed = now.system_cpu_usage - (before.system_cpu_usage ?? 0);
    return {
      cpuPercent: passed > 0 ? Math.max(0, (used / passed) * now.online_cpus * 100) : 0,
      memoryBytes: stats.memory_stats.usage ?? 0,
      diskBytes,
      processes: stats.pids_stats?.current ?? 0,
      network: null,
    };
  } catch (error) {
    throw explainDocker(error);
  }
}
