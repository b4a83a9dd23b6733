import type { Sandbox } from './sandbox.ts';
import type { SandboxParts } from './sandbox-parts.ts';

/** Tells whoever reads the log of a sandbox what the server has to say of it, in a line of its own. */
export function tellInLog(
  { logs, onBackgroundError }: Pick<SandboxParts, 'logs' | 'onBackgroundError'>,
  { id, workspaceId }: Pick<Sandbox, 'id' | 'workspaceId'>,
  sentence: string,
): void {
  logs
    .append(id, Buffer.from(`\nSandgate: ${sentence}\n`))
    .catch((error: unknown) => onBackgroundError(error, { id, workspaceId }));
}
