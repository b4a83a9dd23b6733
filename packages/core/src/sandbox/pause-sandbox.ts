import { SandgateError } from '../error/sandgate-error.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import { factsOf } from './sandbox-records.ts';
import type { Sandboxes } from './sandboxes.ts';
import { inSandboxTurn } from './stop-sandbox.ts';
import { notRunning } from './use-sandbox.ts';

export interface SandboxPauses extends Pick<Sandboxes, 'pause' | 'resume'> {
  /** In its turn: goes on with a paused sandbox. */
  resumePaused(sandbox: Sandbox): Promise<Sandbox>;
}

const cannotPause = (): SandgateError =>
  new SandgateError(
    'capability_missing',
    'The sandboxes of this server cannot be paused. Run msb doctor to see what is missing',
  );

export function createPauses(parts: SandboxParts): SandboxPauses {
  const { records, live, clock } = parts;

  const inState = <S extends 'pausing' | 'paused' | 'resuming' | 'ready'>(
    sandbox: Sandbox,
    state: S,
  ) => ({
    ...factsOf(sandbox),
    updatedAtMs: clock.nowMs(),
    pausedAtMs: state === 'paused' ? clock.nowMs() : state === 'ready' ? null : sandbox.pausedAtMs,
    state,
  });

  const resumePaused = async (sandbox: Sandbox): Promise<Sandbox> => {
    const running = live.get(sandbox.id);
    if (running === undefined) throw notRunning(sandbox);
    if (running.resume === undefined) throw cannotPause();
    const resuming = await records.store(sandbox, inState(sandbox, 'resuming'));
    try {
      await running.resume();
    } catch (error) {
      // Its time of pausing stays, so that the bound of it does.
      await records.settle(resuming, { ...resuming, state: 'paused' });
      throw error;
    }
    parts.activity.touch(sandbox.id);
    return await records.settle(resuming, inState(resuming, 'ready'));
  };

  return {
    resumePaused,
    async pause(workspace, reference) {
      return await inSandboxTurn(parts, workspace, reference, async (sandbox) => {
        if (sandbox.state === 'paused') return sandbox;
        const running = live.get(sandbox.id);
        if (running === undefined || sandbox.state !== 'ready') throw notRunning(sandbox);
        if (running.pause === undefined) throw cannotPause();
        const pausing = await records.store(sandbox, inState(sandbox, 'pausing'));
        try {
          await running.pause();
        } catch (error) {
          await records.settle(pausing, inState(pausing, 'ready'));
          throw error;
        }
        return await records.settle(pausing, inState(pausing, 'paused'));
      });
    },
    async resume(workspace, reference) {
      return await inSandboxTurn(parts, workspace, reference, async (sandbox) => {
        if (sandbox.state === 'ready') return sandbox;
        if (sandbox.state !== 'paused') throw notRunning(sandbox);
        return await resumePaused(sandbox);
      });
    },
  };
}
