import { createBackgroundProcesses } from './background-processes.ts';
import { createChanges } from './change-sandbox.ts';
import { EgressDenials } from './egress-denials.ts';
import { EventStream } from './event-stream.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { LaunchQueue } from './launch-queue.ts';
import { LifetimeReaper } from './lifetime-reaper.ts';
import { createLooks } from './look-at-sandboxes.ts';
import { createPauses } from './pause-sandbox.ts';
import { createPruner } from './prune-records.ts';
import { ImagePulls } from './pull-image.ts';
import { reconcileSandboxes } from './reconcile-sandboxes.ts';
import { SandboxActivity } from './sandbox-activity.ts';
import { SandboxAdmission } from './sandbox-admission.ts';
import { findCaller } from './sandbox-caller.ts';
import { createLogReader } from './sandbox-log-reader.ts';
import type { SandboxesDependencies, SandboxParts } from './sandbox-parts.ts';
import { SandboxRecords } from './sandbox-records.ts';
import type { Sandboxes } from './sandboxes.ts';
import { createSettler } from './settle-later.ts';
import { createSnapshotKeeper } from './snapshot-keeper.ts';
import { SnapshotSchedules } from './snapshot-schedules.ts';
import { createStarts } from './start-sandbox.ts';
import { StatsHistory } from './stats-history.ts';
import { createEnds } from './stop-sandbox.ts';
import { TemplateCatalogue } from './template-catalogue.ts';
import { createUse } from './use-sandbox.ts';
import { createVolumeKeeper } from './volume-keeper.ts';
import { WarmPool } from './warm-pool.ts';

/** Puts the parts of the sandbox domain together. */
export function createSandboxes(dependencies: SandboxesDependencies): Sandboxes {
  const { storage, engine, clock, timers, policy, onBackgroundError } = dependencies;
  const nowhere = (error: unknown) => onBackgroundError(error, { id: '', workspaceId: '' });
  const settler = createSettler(timers);
  const events = new EventStream(clock);
  const denials = new EgressDenials(events);
  const inTurn = createKeyedQueue();
  const live: SandboxParts['live'] = new Map();
  const activity = new SandboxActivity({
    clock,
    timers,
    store: (times) => storage.sandboxes.recordActivity(times).catch(nowhere),
  });
  const records = new SandboxRecords({
    ...{ storage, events, activity, inTurn, settler, onBackgroundError },
    onStored(sandbox) {
      reaper.track(sandbox);
      schedules.track(sandbox);
    },
  });
  let report: ReturnType<SandboxParts['report']> | null = null;
  const logReader = createLogReader(dependencies.logs, { live, records: () => records });
  const parts: SandboxParts = {
    ...dependencies,
    ...{ live, inTurn, events, activity, records, settler },
    logs: logReader.logs,
    async caller() {
      const keyNumber = dependencies.callerKey();
      return keyNumber === null ? null : await findCaller(storage, keyNumber);
    },
    report() {
      report ??= engine.probe();
      return report;
    },
  };

  const admission = new SandboxAdmission(policy);
  const launches = new LaunchQueue({
    ...{ clock, timers },
    parallel: policy.launch.parallel,
    patienceMs: policy.launch.queueMs,
  });
  const processes = createBackgroundProcesses(parts);
  const stats = new StatsHistory(parts);
  const ends = createEnds({
    ...parts,
    admission,
    onRested(id) {
      processes.lose(id);
      stats.forget(id);
      logReader.end(id);
    },
  });
  const pulls = new ImagePulls(parts);
  const reaper = new LifetimeReaper(parts, {
    async destroyIf(id, reasonOf) {
      const sandbox = pulls.isGoing(id) ? await records.byId(id) : null;
      const reason = sandbox === null ? null : reasonOf(sandbox);
      // Nothing more can be asked of it, as might be of an idle one.
      if (reason === 'expired' || reason === 'max_lifetime') pulls.abandon(id);
      return await ends.destroyIf(id, reasonOf);
    },
  });
  const snapshots = createSnapshotKeeper({ ...parts, admission });
  const schedules = new SnapshotSchedules(parts, snapshots);
  const volumes = createVolumeKeeper({ ...parts, admission });
  const pool = new WarmPool({ ...parts, admission, launches });
  admission.onCrowded(() => pool.evict());
  const pauses = createPauses(parts);
  let catalogue: TemplateCatalogue | null = null;
  const loadCatalogue = async (): Promise<TemplateCatalogue> => {
    catalogue ??= new TemplateCatalogue(await parts.report(), policy);
    return catalogue;
  };
  const starts = createStarts({
    ...parts,
    ...{ admission, launches, ends, pulls },
    catalogue: loadCatalogue,
    takeWarm: (composed) => pool.take(composed),
    replaceWarm: () => pool.replace(),
    giveBackWarm: (warm) => pool.giveBack(warm),
    discardWarm: (warm) => pool.discard(warm),
    resumePaused: pauses.resumePaused,
  });
  const pruner = createPruner(parts);

  return {
    ...starts,
    async stop(workspace, reference) {
      pulls.abandon((await records.find(workspace, reference)).id);
      return await ends.stop(workspace, reference);
    },
    async destroy(workspace, reference, options) {
      const found = await records.find(workspace, reference, { includeDestroyed: true });
      pulls.abandon(found.id);
      return await ends.destroy(workspace, found.id, options);
    },
    pause: pauses.pause,
    resume: pauses.resume,
    ...createChanges(parts),
    ...createLooks(parts),
    ...createUse(parts),
    readLog: logReader.readLog,
    followLog: logReader.followLog,
    startProcess: processes.startProcess,
    listProcesses: processes.listProcesses,
    findProcess: processes.findProcess,
    processOutput: processes.processOutput,
    writeProcessInput: processes.writeProcessInput,
    signalProcess: processes.signalProcess,
    waitForProcess: processes.waitForProcess,
    deleteProcess: processes.deleteProcess,
    createSnapshot: snapshots.createSnapshot,
    findSnapshot: snapshots.findSnapshot,
    waitForSnapshot: snapshots.waitForSnapshot,
    listSnapshots: snapshots.listSnapshots,
    deleteSnapshot: snapshots.deleteSnapshot,
    createVolume: volumes.createVolume,
    findVolume: volumes.findVolume,
    listVolumes: volumes.listVolumes,
    deleteVolume: volumes.deleteVolume,
    async stats(workspace, reference, { sinceMs }) {
      const { id } = await records.find(workspace, reference);
      return await stats.read(id, sinceMs);
    },
    async egressDenials(workspace, reference) {
      return denials.of((await records.find(workspace, reference)).id);
    },
    pullImage: (workspace, image, options) => pulls.bring(workspace.id, image, options),
    templates: () => catalogue?.list() ?? [],
    startDefaults: () => ({
      resources: policy.defaults,
      maxima: policy.maxima,
      egress: policy.egress,
      lifetime: policy.lifetime,
    }),
    async nextSnapshotMs(workspace, reference) {
      const { snapshotSchedule } = await records.find(workspace, reference);
      return snapshotSchedule === null
        ? null
        : dependencies.nextCronMs(snapshotSchedule.cron, clock.nowMs());
    },
    usage: async (workspace) => ({
      limits: admission.limits(workspace),
      used: admission.used(workspace),
    }),
    events: (workspace, options) => events.subscribe(workspace?.id ?? null, options),
    pastEvents: async (workspace, { afterId }) => events.past(workspace.id, afterId),
    runningCount: () => live.size,
    async reconcile() {
      await reconcileSandboxes(parts, { admission, ends, onFound: [reaper, schedules] });
      await volumes.reconcile();
      await snapshots.reconcile();
      stats.start();
      pruner.start();
      pool.start(await loadCatalogue());
    },
    async close() {
      pulls.close();
      reaper.close();
      schedules.close();
      pruner.close();
      stats.close();
      await pool.close();
      await snapshots.close();
      await Promise.all([...live.keys()].map((id) => stopForShutdown(id)));
      processes.close();
      await activity.flush();
      settler.close();
      await engine.close();
    },
  };

  /** Never rejects: the others are to keep their files, whatever becomes of this one. */
  async function stopForShutdown(id: string): Promise<void> {
    try {
      const sandbox = await records.byId(id);
      const workspace =
        sandbox === null ? null : await storage.workspaces.findById(sandbox.workspaceId);
      if (workspace !== null) await ends.stop(workspace, id);
    } catch (error) {
      onBackgroundError(error, { id, workspaceId: '' });
    }
  }
}
