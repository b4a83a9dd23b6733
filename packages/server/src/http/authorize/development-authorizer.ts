import {
  type AuditContext,
  anyWorkspace,
  type CheckDependencies,
  type DoorSandboxes,
  SandgateError,
} from '@sandgate/core';
import type { Authorizer } from './authorizer.ts';

/** Accepts every call that reaches the loopback address of a server in development mode. */
export function createDevelopmentAuthorizer(
  dependencies: Pick<CheckDependencies, 'storage' | 'clock' | 'randomness' | 'auditLog'> & {
    readonly sandboxes: DoorSandboxes;
    /** Runs work so that what it changes is audited under whoever asked for it. */
    readonly auditAs: <Result>(context: AuditContext, work: () => Result) => Result;
  },
): Authorizer {
  return {
    identify: async () => null,
    personOf: async () => null,
    async perform(call, run) {
      const { address, requestId } = call;
      const context: AuditContext = { actor: { kind: 'development' }, address, requestId };
      const workspace = await anyWorkspace(dependencies, call.workspace, context);
      if (workspace instanceof SandgateError) throw workspace;
      const { value } = await dependencies.auditAs(context, () =>
        run({
          caller: { kind: 'development' },
          workspace,
          sandboxes: dependencies.sandboxes,
          limits: [],
          watch: () => undefined,
        }),
      );
      return value;
    },
  };
}
