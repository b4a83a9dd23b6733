import {
  type ApiKey,
  type Awaitable,
  type CheckRequest,
  type DoorSandboxes,
  type ErrorCode,
  type KeyOwner,
  SandgateError,
  type WindowState,
  type Workspace,
} from '@sandgate/core';

/** One call that has to be allowed, and what is written down of it. */
export interface Call extends CheckRequest {
  readonly method: string;
  /** Template, and never the path itself, as in `/api/v1/api-keys/{id}`. */
  readonly endpoint: string;
  /**
   * What is written down instead of `endpoint` when the caller is not let into the workspace, so that
   * their record tells them nothing of what is there. Absent: the same.
   */
  readonly hiddenEndpoint?: string;
  readonly requestId: string;
  /**
   * Nothing is lost or doubled when the call is cut off: it is written down once, at its end. Any
   * other call is written down before it begins, so that no crash grants one more.
   */
  readonly safe: boolean;
  /** Told how the key's windows stand as soon as it is known, also when the call is refused. */
  readonly onLimits?: (limits: readonly WindowState[]) => void;
  /** What the door answers when the call fails. */
  readonly statusOf: (error: SandgateError) => number;
}

export type Caller =
  /** `key` is that of a person who came with an access token, too: `personKey`. */
  | { readonly kind: 'key'; readonly key: ApiKey; readonly owner: KeyOwner | null }
  /** Nobody in particular: development mode asks for no key. */
  | { readonly kind: 'development' };

/** What an accepted call may use: this workspace, and no other that the request may name. */
export interface Access {
  readonly caller: Caller;
  /** Null when the call is about all workspaces. */
  readonly workspace: Workspace | null;
  /** The sandboxes that the caller may touch. A door has no others. */
  readonly sandboxes: DoorSandboxes;
  /** How the key's windows stand after this call. Empty for a key without limits. */
  readonly limits: readonly WindowState[];
  /**
   * Has the right of the call looked at again every few seconds, until the call ends: `cut` is told once
   * when a new one would be refused, as after a revocation, a removal or a log-out. `about` says
   * which sandbox the call touches, once it is known.
   */
  watch(cut: (refusal: SandgateError) => void, about?: () => string | null): void;
}

export interface Answered<T> {
  readonly value: T;
  /** HTTP status, for the usage row. */
  readonly status: number;
  readonly errorCode?: ErrorCode | null;
  readonly sandboxId?: string | null;
}

/** Decides about calls, and writes them down. Every route but the public ones goes through it. */
export interface Authorizer {
  /** What is wrong with a credential, or null. Says whether a body is worth reading, no more. */
  identify(
    request: Pick<CheckRequest, 'credential' | 'address' | 'resource'>,
  ): Promise<SandgateError | null>;
  /**
   * Id of the person as whom a credential acts in every workspace of theirs. Null for any other
   * credential, and for one that is refused.
   */
  personOf(request: Pick<CheckRequest, 'credential' | 'address'>): Promise<string | null>;
  /**
   * Runs a call that is allowed, and resolves when it is written down. What `run` can give at once is
   * not waited for.
   * @throws SandgateError with the reason of a refusal, or what `run` throws
   */
  perform<T>(call: Call, run: (access: Access) => Awaitable<Answered<T>>): Promise<T>;
}

/** What a call's failure is called in its usage row. */
export function failureOf(error: unknown): SandgateError {
  return error instanceof SandgateError
    ? error
    : new SandgateError('internal', 'Internal server error', { cause: error });
}
