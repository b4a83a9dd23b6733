import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Sandboxes } from '../sandbox/sandboxes.ts';
import type { Snapshot } from '../sandbox/snapshot.ts';
import type { Volume } from '../sandbox/volume.ts';
import type { AuditContext, AuditRecord } from './audit-log.ts';
import { audited, type ChangeLog } from './audited.ts';

/** Methods that only look, and those whose use is told by the records of the calls. */
type Unrecorded =
  | 'find'
  | 'list'
  | 'wait'
  | 'read'
  | 'stats'
  | 'egressDenials'
  | 'readLog'
  | 'followLog'
  | 'pullImage'
  | 'templates'
  | 'startDefaults'
  | 'nextSnapshotMs'
  | 'usage'
  | 'events'
  | 'pastEvents'
  | 'exec'
  | 'runCode'
  | 'files'
  | 'openTerminal'
  | 'dial'
  | 'listProcesses'
  | 'findProcess'
  | 'processOutput'
  | 'writeProcessInput'
  | 'waitForProcess'
  | 'findSnapshot'
  | 'waitForSnapshot'
  | 'listSnapshots'
  | 'findVolume'
  | 'listVolumes'
  | 'runningCount'
  | 'reconcile'
  | 'close';

/** A method that is not named above has to be recorded, or this file does not compile. */
type Recorded = Omit<Sandboxes, Unrecorded>;

type Described = Pick<AuditRecord, 'target' | 'details'>;

const sandboxTarget = ({ id, name }: Sandbox): Described => ({
  target: `sandbox:${id}`,
  details: { name },
});
const snapshotTarget = ({ id, name, sandboxId }: Snapshot): Described => ({
  target: `snapshot:${id}`,
  details: { name, sandbox: sandboxId },
});
const volumeTarget = ({ id, name, sizeMib }: Volume): Described => ({
  target: `volume:${id}`,
  details: { name, sizeMib },
});

/**
 * Sandboxes whose changes are recorded, and those of their snapshots and volumes. `context` tells who
 * is asking, at the time of the call.
 */
export function auditSandboxes(
  sandboxes: Sandboxes,
  auditLog: ChangeLog,
  context: () => AuditContext,
): Sandboxes {
  const recorded = <Result>(
    workspace: { readonly id: string },
    action: string,
    attempt: Described,
    work: () => Promise<Result>,
    describe: (result: Result) => Described,
  ): Promise<Result> =>
    audited(
      auditLog,
      { ...context(), action, workspaceId: workspace.id, ...attempt },
      work,
      describe,
    );

  const changes: Recorded = {
    create: (workspace, requested, options) =>
      recorded(
        workspace,
        'sandbox.create',
        { target: requested.name === undefined ? null : `sandbox:${requested.name}` },
        () => sandboxes.create(workspace, requested, options),
        ({ id, name, template }) => ({ target: `sandbox:${id}`, details: { name, template } }),
      ),
    start: (workspace, name, requested, options) =>
      recorded(
        workspace,
        'sandbox.start',
        { target: `sandbox:${name}` },
        () => sandboxes.start(workspace, name, requested, options),
        ({ id, definition }) => ({
          target: `sandbox:${id}`,
          details: { name, image: definition.image },
        }),
      ),
    stop: (workspace, reference) =>
      recorded(
        workspace,
        'sandbox.stop',
        { target: `sandbox:${reference}` },
        () => sandboxes.stop(workspace, reference),
        sandboxTarget,
      ),
    destroy: (workspace, reference, options) =>
      recorded(
        workspace,
        'sandbox.destroy',
        { target: `sandbox:${reference}` },
        () => sandboxes.destroy(workspace, reference, options),
        sandboxTarget,
      ),
    pause: (workspace, reference) =>
      recorded(
        workspace,
        'sandbox.pause',
        { target: `sandbox:${reference}` },
        () => sandboxes.pause(workspace, reference),
        sandboxTarget,
      ),
    resume: (workspace, reference) =>
      recorded(
        workspace,
        'sandbox.resume',
        { target: `sandbox:${reference}` },
        () => sandboxes.resume(workspace, reference),
        sandboxTarget,
      ),
    setEgress: (workspace, reference, policy) =>
      recorded(
        workspace,
        'sandbox.egress',
        { target: `sandbox:${reference}`, details: { mode: policy.mode } },
        () => sandboxes.setEgress(workspace, reference, policy),
        ({ sandbox: { id, name } }) => ({
          target: `sandbox:${id}`,
          details: { name, mode: policy.mode },
        }),
      ),
    update: (workspace, reference, wanted) =>
      recorded(
        workspace,
        'sandbox.update',
        { target: `sandbox:${reference}`, details: { changed: changedNames(wanted) } },
        () => sandboxes.update(workspace, reference, wanted),
        ({ id, name }) => ({
          target: `sandbox:${id}`,
          details: { name, changed: changedNames(wanted) },
        }),
      ),
    startProcess: (workspace, reference, request) =>
      recorded(
        workspace,
        'process.start',
        { target: `sandbox:${reference}` },
        () => sandboxes.startProcess(workspace, reference, request),
        ({ id, sandboxId }) => ({ target: `process:${id}`, details: { sandbox: sandboxId } }),
      ),
    signalProcess: (workspace, reference, processId, signal) =>
      recorded(
        workspace,
        'process.signal',
        { target: `process:${processId}`, details: { signal } },
        () => sandboxes.signalProcess(workspace, reference, processId, signal),
        ({ sandboxId }) => ({
          target: `process:${processId}`,
          details: { signal, sandbox: sandboxId },
        }),
      ),
    deleteProcess: (workspace, reference, processId) =>
      recorded(
        workspace,
        'process.delete',
        { target: `process:${processId}` },
        () => sandboxes.deleteProcess(workspace, reference, processId),
        ({ sandboxId }) => ({ target: `process:${processId}`, details: { sandbox: sandboxId } }),
      ),
    createSnapshot: (workspace, reference, request) =>
      recorded(
        workspace,
        'snapshot.create',
        { target: null, details: { sandbox: reference } },
        () => sandboxes.createSnapshot(workspace, reference, request),
        snapshotTarget,
      ),
    deleteSnapshot: (workspace, snapshotId) =>
      recorded(
        workspace,
        'snapshot.delete',
        { target: `snapshot:${snapshotId}` },
        () => sandboxes.deleteSnapshot(workspace, snapshotId),
        snapshotTarget,
      ),
    createVolume: (workspace, request) =>
      recorded(
        workspace,
        'volume.create',
        { target: `volume:${request.name}` },
        () => sandboxes.createVolume(workspace, request),
        volumeTarget,
      ),
    deleteVolume: (workspace, reference) =>
      recorded(
        workspace,
        'volume.delete',
        { target: `volume:${reference}` },
        () => sandboxes.deleteVolume(workspace, reference),
        volumeTarget,
      ),
  };
  return { ...sandboxes, ...changes };
}

const changedNames = (changes: object): string => Object.keys(changes).toSorted().join(', ');
