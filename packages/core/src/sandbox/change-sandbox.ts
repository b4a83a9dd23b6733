import { SandgateError } from '../error/sandgate-error.ts';
import type { EngineSandbox } from '../port/engine.ts';
import { requireEgress, requireLabels, requireSchedule, toLifetime } from './compose-sandbox.ts';
import type { SandboxChanges } from './new-sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import { requireNewSandboxName } from './sandbox-name.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandboxes } from './sandboxes.ts';
import { inSandboxTurn } from './stop-sandbox.ts';

type ChangedField = 'name' | 'labels' | 'lifetime' | 'egress' | 'snapshotSchedule';

export function createChanges(parts: SandboxParts): Pick<Sandboxes, 'update' | 'setEgress'> {
  const { records, live, clock, events } = parts;

  const store = async (sandbox: Sandbox, changed: readonly ChangedField[]): Promise<Sandbox> => {
    const stored = await records.change({ ...sandbox, updatedAtMs: clock.nowMs() });
    const { id: sandboxId, name } = stored;
    events.publish(stored.workspaceId, { kind: 'sandbox.changed', sandboxId, name, changed });
    return stored;
  };

  const apply = (
    sandbox: Sandbox,
    { name, labels, lifetime, snapshotSchedule }: SandboxChanges,
  ): Sandbox => ({
    ...sandbox,
    name: name === undefined || name === sandbox.name ? sandbox.name : requireNewSandboxName(name),
    labels: labels === undefined ? sandbox.labels : requireLabels(labels),
    lifetime:
      lifetime === undefined
        ? sandbox.lifetime
        : toLifetime(lifetime, sandbox.lifetime, clock.nowMs()),
    snapshotSchedule:
      snapshotSchedule === undefined
        ? sandbox.snapshotSchedule
        : requireSchedule(parts, snapshotSchedule),
  });

  const switchEgress = async (sandbox: Sandbox, running: EngineSandbox, to: Sandbox['egress']) => {
    if (running.setEgress === undefined) {
      throw new SandgateError(
        'capability_missing',
        'The network of a running sandbox cannot be switched here. Run msb doctor to see what is missing',
      );
    }
    await running.setEgress(to);
    try {
      return await store({ ...sandbox, egress: to }, ['egress']);
    } catch (error) {
      // What is stored holds.
      await running.setEgress(sandbox.egress);
      throw error;
    }
  };

  return {
    async update(workspace, reference, changes) {
      return await inSandboxTurn(parts, workspace, reference, async (sandbox) => {
        const changed = (['name', 'labels', 'lifetime', 'snapshotSchedule'] as const).filter(
          (field) => changes[field] !== undefined,
        );
        return changed.length === 0 ? sandbox : await store(apply(sandbox, changes), changed);
      });
    },
    async setEgress(workspace, reference, requested) {
      const policy = await requireEgress(parts, requested);
      return await inSandboxTurn(parts, workspace, reference, async (sandbox) => {
        const running = live.get(sandbox.id);
        if (sandbox.state === 'paused') {
          throw new SandgateError(
            'sandbox_paused',
            `Sandbox '${sandbox.name}' is paused. Resume it first`,
          );
        }
        if (running === undefined) {
          const stored = await store({ ...sandbox, egress: policy }, ['egress']);
          return { sandbox: stored, networkUpdated: false };
        }
        return { sandbox: await switchEgress(sandbox, running, policy), networkUpdated: true };
      });
    },
  };
}
