import type { AuditLog } from '../../audit/audit-log.ts';
import type { SandgateError } from '../../error/sandgate-error.ts';
import type { WindowState } from '../../limit/limit-window.ts';
import type { RequestLimits } from '../../limit/request-limits.ts';
import type { AccessTokens } from '../../port/access-tokens.ts';
import type { Awaitable } from '../../port/awaitable.ts';
import type { Clock } from '../../port/clock.ts';
import type { Charged, Counters } from '../../port/counters.ts';
import type { Randomness } from '../../port/randomness.ts';
import type { Storage } from '../../port/storage.ts';
import type { Role } from '../../user/role.ts';
import type { User } from '../../user/user.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import type { ApiKey, ApiKeySecret } from '../api-key.ts';
import type { ServerKey } from '../key-digest.ts';
import type { ParsedKeyText } from '../key-text.ts';
import type { Scope } from '../scope.ts';

/** Which workspace a call is about. */
export type WorkspaceSelector =
  /** The call names none: the key's own, or `default` for a key of all workspaces. */
  | { readonly kind: 'own' }
  /** `create`: the call brings the workspace into being when an operator key names a new one. */
  | { readonly kind: 'named'; readonly slug: string; readonly create?: boolean }
  /** The call names none: everything that the key reaches, its own workspace or all of them. */
  | { readonly kind: 'reach' }
  /** Every workspace at once, which only a key of all workspaces may ask for. */
  | { readonly kind: 'all' };

export interface CheckRequest {
  /** What the client presented, without `Bearer`. Null: nothing. */
  readonly credential: string | null;
  /** The peer's IP address. */
  readonly address: string;
  readonly requestId: string;
  readonly workspace: WorkspaceSelector;
  /** Null: what every living key may do. */
  readonly scope: Scope | null;
  /** Opened as well by `key:mint`, to a key that may have children. It then reaches no other keys. */
  readonly ownChildren?: boolean;
  /** Path of the MCP resource that is called, as in `/mcp`: a token of OAuth opens one, and nothing else. */
  readonly resource?: string;
  /** The tool of an MCP server that is called, which needs `mcp:call` beside the scope. */
  readonly mcpTool?: CalledTool;
}

export interface CalledTool {
  /** `sandgate` for the server's own. */
  readonly server: string;
  /** Null: none, but something else of the server. */
  readonly tool: string | null;
}

export interface CheckDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
  readonly counters: Counters;
  /** For the record of a workspace that a call brings into being. */
  readonly auditLog: Pick<AuditLog, 'append'>;
  /** Absent: only keys are taken. */
  readonly accessTokens?: Pick<AccessTokens, 'verify'>;
  /** A key's limits: its own, else those of its workspace's plan. */
  readonly limitsOf: (key: ApiKey, workspace: Workspace | null) => RequestLimits;
}

/** The person behind a call. */
export interface KeyOwner {
  readonly user: User;
  readonly role: Role;
  /** Null: they called with a key. */
  readonly sessionId: string | null;
}

/** What the steps of one check have found so far. */
export interface Check {
  readonly request: CheckRequest;
  readonly dependencies: CheckDependencies;
  parsed: ParsedKeyText | null;
  digest: Buffer | null;
  key: ApiKey | null;
  secret: ApiKeySecret | null;
  /** Of the grant of OAuth whose token was shown. */
  grantId: string | null;
  /** Of the key, each as narrow as its own ancestors make it. */
  ancestors: readonly ApiKey[];
  /** Null for a key that is nobody's. The role is known once the workspace is. */
  owner: (Omit<KeyOwner, 'role'> & { readonly role: Role | null }) | null;
  /** Null when the call is about all workspaces. */
  workspace: Workspace | null;
  /** Of the workspace that the call brings into being when it passes. */
  newSlug: string | null;
  /** How the key's windows stand. Empty for a key without limits. */
  limits: readonly WindowState[];
  /** Null when there was nothing to charge. */
  charged: Charged | null;
}

/** Looks at one thing. Null lets the check go on. */
export type CheckStep = (check: Check) => Awaitable<SandgateError | null>;
