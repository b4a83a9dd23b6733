/** The period over which the kernel hands out CPU time; its own default. */
export const cpuPeriodUs = 100_000;

/** The kernel refuses less (Documentation/scheduler/sched-bwc.rst). */
const minQuotaUs = 1_000;

/** CPU time per period for whole or fractional CPUs. */
export function cpuQuotaUs(cpus: number): number {
  return Math.max(minQuotaUs, Math.round(cpus * cpuPeriodUs));
}
