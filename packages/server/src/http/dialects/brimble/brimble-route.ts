import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  ApiKey,
  AuditLog,
  DoorSandboxes,
  KeyDependencies,
  KeyedQueue,
  RequestLimits,
  Scope,
  Workspace,
} from '@sandgate/core';
import { z } from 'zod';
import type { Access } from '../../authorize/authorizer.ts';
import type { CallLimit } from '../../call-limit.ts';
import type { OutputBudget } from '../../output-budget.ts';
import type { OutputPace } from '../../output-pace.ts';
import type { OnceOnly } from './once-only.ts';
import { teamId } from './resource-ids.ts';

/** What the handlers of this door need of the server. */
export interface BrimbleServices extends KeyDependencies {
  readonly auditLog: AuditLog;
  readonly limitsOf: (key: ApiKey, workspace: Workspace | null) => RequestLimits;
  /** Whether the plan of a workspace allows it a key. */
  readonly mayHaveKey: (workspace: Workspace) => boolean;
}

/** What all calls at this door share. */
export interface BrimbleBounds {
  readonly calls: CallLimit;
  /** Output of commands. */
  readonly held: OutputBudget;
  /** Bodies that are read as a whole. Apart, so that slow uploads cut nobody's output. */
  readonly uploads: OutputBudget;
  readonly pace: OutputPace;
  /** A workspace has one key: looking for it and making it are one step. */
  readonly keysInTurn: KeyedQueue;
  readonly onceOnly: OnceOnly;
}

export interface BrimbleContext extends BrimbleServices, BrimbleBounds {
  readonly access: Access;
  readonly workspace: Workspace;
  /** The sandboxes that the caller may touch. */
  readonly sandboxes: DoorSandboxes;
  /** The peer's IP address. */
  readonly address: string;
  readonly requestId: string;
  /** What the client calls itself. */
  readonly userAgent: string;
  /** Of a route that reads its body itself. */
  readonly request: Request;
  /** Node's own form of it. Undefined where it came by no socket, as in a test. */
  readonly incoming: IncomingMessage | undefined;
  /** Node's own answer, likewise. */
  readonly outgoing: ServerResponse | undefined;
  /** Ids in the path, by name. */
  readonly params: Readonly<Record<string, string>>;
  /** Segments of the path behind the others, as they were sent. */
  readonly rest: readonly string[];
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** Answers before the call has ended, by a body that is still being written. */
  readonly respond: (response: Response) => void;
}

/** What comes of a call. `data` is what the envelope holds; a response is answered as it is. */
export interface BrimbleAnswer {
  readonly data?: unknown;
  /** Of another form than the envelope, or (null) given by `respond` already. */
  readonly response?: Response | null;
  /** For the usage row. */
  readonly sandboxId?: string;
}

export interface BrimbleRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Without the door's own prefix. `{sandboxId}` is one segment, `{path...}` all that are left. */
  readonly path: `/${string}`;
  readonly status: 200 | 201 | 202 | 204;
  /** Empty where no envelope is sent. */
  readonly message: string;
  readonly scope: Scope;
  /** Nothing is lost or doubled when the call is cut off: it is written down once, at its end. */
  readonly safe: boolean;
  /** Takes an `idempotency-key`. */
  readonly idempotent: boolean;
  /** `brimble`: by `x-brimble-key` alone. `account`: whoever manages the keys of a workspace. */
  readonly credential: 'brimble' | 'account';
  /** Its failures after the body was read have a status that no client tries again by itself. */
  readonly onceOnly: boolean;
  /** What nobody knows in it is passed over. */
  readonly query: z.ZodType;
  readonly body: z.ZodType | null;
  readonly maxBodyBytes: number;
  /** Its bodies are so large that they count among what the server holds. */
  readonly holdsBody: boolean;
  readonly run: (
    input: { readonly query: unknown; readonly body: unknown },
    context: BrimbleContext,
  ) => Promise<BrimbleAnswer>;
}

const smallBodyBytes = 64 * 1_024;

/** Any call may say which workspace it is about. */
export const teamQuery = z.object({ teamId });

/** Declares a route. Without a declared scope it does not compile. */
export function defineBrimbleRoute<
  Query extends z.ZodType = typeof teamQuery,
  Body extends z.ZodType = z.ZodUndefined,
>(
  route: Pick<BrimbleRoute, 'method' | 'path' | 'scope' | 'safe'> &
    Partial<
      Pick<
        BrimbleRoute,
        | 'status'
        | 'message'
        | 'idempotent'
        | 'credential'
        | 'onceOnly'
        | 'maxBodyBytes'
        | 'holdsBody'
      >
    > & {
      readonly query?: Query;
      readonly body?: Body;
      readonly run: (
        input: { readonly query: z.output<Query>; readonly body: z.output<Body> },
        context: BrimbleContext,
      ) => Promise<BrimbleAnswer>;
    },
): BrimbleRoute {
  const { run, query = teamQuery, body = null, ...shape } = route;
  return {
    status: 200,
    message: '',
    idempotent: false,
    credential: 'brimble',
    onceOnly: false,
    maxBodyBytes: smallBodyBytes,
    holdsBody: false,
    ...shape,
    query,
    body,
    run: run as BrimbleRoute['run'],
  };
}
