import { expect } from 'vitest';
import type { SandboxInside } from './attacked-server.ts';

const deadlineMs = 20_000;

/** Starts a sandbox that may have ended, may still be ending or may run, until a command works in it. */
export async function revive(
  sandbox: SandboxInside,
  config?: Readonly<Record<string, unknown>>,
): Promise<void> {
  await expect
    .poll(
      async () => {
        await sandbox.start(config);
        const { stdout, response } = await sandbox.run('/bin/echo', ['alive'], 5);
        return stdout[0] ?? response.text;
      },
      { timeout: deadlineMs, interval: 20 },
    )
    .toBe('alive');
}
