import {
  type ApiKey,
  anyWorkspace,
  type CheckDependencies,
  type CheckRequest,
  checkKey,
  identifyKey,
  SandgateError,
  type Workspace,
} from '@sandgate/core';

export type Caller =
  | { readonly kind: 'key'; readonly key: ApiKey }
  /** Nobody in particular: development mode asks for no key. */
  | { readonly kind: 'development' };

/** What an accepted call may use: this workspace, and no other that the request may name. */
export interface Access {
  readonly caller: Caller;
  /** Null when the call is about all workspaces. */
  readonly workspace: Workspace | null;
}

/** Decides about calls. Every route but the public ones goes through it. */
export interface Authorizer {
  /** What is wrong with a credential, or null. Says whether a body is worth reading, no more. */
  identify(request: Pick<CheckRequest, 'credential' | 'address'>): Promise<SandgateError | null>;
  /** @throws SandgateError with the reason of the refusal */
  authorize(request: CheckRequest): Promise<Access>;
}

export function createKeyAuthorizer(dependencies: CheckDependencies): Authorizer {
  return {
    identify: (request) => identifyKey(dependencies, request),
    async authorize(request) {
      const outcome = await checkKey(dependencies, request);
      if (outcome.kind === 'refused') throw outcome.error;
      return { caller: { kind: 'key', key: outcome.key }, workspace: outcome.workspace };
    },
  };
}

/** Accepts every call that reaches the loopback address of a server in development mode. */
export function createDevelopmentAuthorizer(
  dependencies: Pick<CheckDependencies, 'storage' | 'clock' | 'randomness'>,
): Authorizer {
  return {
    identify: async () => null,
    async authorize({ workspace: selector }) {
      const workspace = await anyWorkspace(dependencies, selector);
      if (workspace instanceof SandgateError) throw workspace;
      return { caller: { kind: 'development' }, workspace };
    },
  };
}
