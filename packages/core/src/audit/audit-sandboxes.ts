import type { Sandboxes } from '../sandbox/sandboxes.ts';
import type { AuditContext, AuditLog } from './audit-log.ts';
import { audited } from './audited.ts';

/**
 * Sandboxes whose starts, stops and ends are recorded. `context` tells who is asking, at the time of the
 * call.
 */
export function auditSandboxes(
  sandboxes: Sandboxes,
  auditLog: Pick<AuditLog, 'record'>,
  context: () => AuditContext,
): Sandboxes {
  return {
    ...sandboxes,
    start: (workspace, name, requested, options) =>
      audited(
        auditLog,
        {
          ...context(),
          action: 'sandbox.start',
          target: `sandbox:${name}`,
          workspaceId: workspace.id,
        },
        () => sandboxes.start(workspace, name, requested, options),
        ({ id, definition }) => ({
          target: `sandbox:${id}`,
          details: { name, image: definition.image },
        }),
      ),
    stop: (workspace, name) =>
      audited(
        auditLog,
        {
          ...context(),
          action: 'sandbox.stop',
          target: `sandbox:${name}`,
          workspaceId: workspace.id,
        },
        () => sandboxes.stop(workspace, name),
        ({ id }) => ({ target: `sandbox:${id}`, details: { name } }),
      ),
    destroy: (workspace, name) =>
      audited(
        auditLog,
        {
          ...context(),
          action: 'sandbox.destroy',
          target: `sandbox:${name}`,
          workspaceId: workspace.id,
        },
        () => sandboxes.destroy(workspace, name),
        ({ id }) => ({ target: `sandbox:${id}`, details: { name } }),
      ),
  };
}
