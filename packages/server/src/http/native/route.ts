import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  ApiKey,
  AuditedChange,
  Awaitable,
  ErrorCode,
  FailureBudget,
  McpServerDependencies,
  RegistryGate,
  RequestLimits,
  Scope,
  Workspace,
} from '@sandgate/core';
import { z } from 'zod';
import type { Access } from '../authorize/authorizer.ts';
import { requireScope } from '../authorize/require-scope.ts';
import type { RouteWorkspace } from '../authorize/select-workspace.ts';
import type { CallLimit } from '../call-limit.ts';
import type { IdentityServices } from '../identity-services.ts';
import type { OutputBudget } from '../output-budget.ts';
import type { OutputPace } from '../output-pace.ts';
import { type Input, type RawInput, readInput } from './read-input.ts';
import type { PageHeaders } from './session/require-own-page.ts';
import type { TicketBox, TicketRight } from './terminal/ticket-box.ts';

/** What all calls at this door share. */
export interface NativeBounds {
  /** How often an address may report leaked keys. */
  readonly reports: FailureBudget;
  /** Calls that hold something until they end. */
  readonly calls: CallLimit;
  /** Output that answers hold until they have left. */
  readonly held: OutputBudget;
  readonly pace: OutputPace;
  readonly tickets: TicketBox;
}

/** What the handlers of this door need of the server. */
export interface NativeServices
  extends IdentityServices,
    Omit<McpServerDependencies, 'storage'>,
    NativeBounds {
  readonly limitsOf: (key: ApiKey, workspace: Workspace | null) => RequestLimits;
  /** By name. */
  readonly plans: Readonly<Record<string, { readonly requests: RequestLimits }>>;
  readonly registryGate: RegistryGate;
  /** What is wrong with a webhook's address, or null. */
  readonly webhookProblem: (url: string) => string | null;
}

export interface PublicContext extends NativeServices {
  readonly requestId: string;
  /** The peer's IP address. */
  readonly address: string;
  /** What the client calls itself. */
  readonly agent: string;
  readonly page: PageHeaders;
  /** The request's `Accept` header; empty when there is none. */
  readonly accept: string;
}

/** What a call has of its connection, beside what it was sent and what it answers in the end. */
export interface Exchange {
  readonly request: Request;
  /** Node's own form of it. Undefined where it came by no socket, as in a test. */
  readonly incoming: IncomingMessage | undefined;
  /** Node's own answer, likewise. */
  readonly outgoing: ServerResponse | undefined;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** Answers now, by a body that is still being written; what `run` gives in the end is null. */
  readonly respond: (response: Response) => void;
  /** Says which sandbox the call is about, for its usage row. */
  readonly about: (sandboxId: string) => void;
  /** The sandbox that the call is bound to by the ticket that it came with; null for any. */
  readonly boundTo: string | null;
  /** A ticket that stands for the credential of this call. */
  readonly issueTicket: (right: Omit<TicketRight, 'credential'>) => ReturnType<TicketBox['issue']>;
}

export interface AuthorisedContext extends PublicContext {
  readonly access: Access;
  readonly exchange: Exchange;
  /** Of a route that changes something: the change, for its record in the audit. */
  readonly change: AuditedChange;
  /** The call was opened by `key:mint` alone: no other keys are reached than the caller's descendants. */
  readonly ownChildrenOnly: boolean;
}

/**
 * A scope, or `any key` for what every living key may do, or `person` for who has logged in and comes
 * with an access token, or `public` for what needs none.
 */
export type RouteAccess = Scope | 'any key' | 'person' | 'public';

interface RouteShape<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly operationId: string;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** From the server's root, with `{names}`. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Longest JSON body. Default: `smallBodyBytes`. */
  readonly maxBodyBytes?: number;
  /** Media type of a body that the route reads by itself as it arrives. Goes without `body`. */
  readonly upload?: string;
  /**
   * Passes on whatever comes: it takes every method, although the document has it under one, all that is
   * behind the last name in its path, and any query, of which it reads none.
   */
  readonly forwards?: true;
  readonly answer: Answer;
  /** Media types of its answers that are not JSON. */
  readonly media?: readonly string[];
  /** Whether a ticket may come in the place of a key. */
  readonly takesTickets?: true;
  /** 200 unless given. 204 sends no body, and 101 means that the route takes the connection over. */
  readonly status?: 200 | 204 | 101;
  /** Further statuses that are no errors, or none with a code of its own. */
  readonly otherStatuses?: Readonly<Record<number, string>>;
  /** Besides those that every route can answer. */
  readonly errors?: readonly ErrorCode[];
}

export const smallBodyBytes = 64 * 1024;

type AuthorisedShape = {
  /** What the key must be granted. */
  readonly access: Exclude<RouteAccess, 'public'>;
  /** Further scopes, of a route that does two things in one. */
  readonly alsoNeeds?: readonly Scope[];
  readonly workspace: RouteWorkspace;
  /** Opened by `key:mint` as well, for what the caller makes, and what it made. */
  readonly ownChildren?: true;
} & (
  | {
      /** Changes nothing: it is written down once, at its end. */
      readonly safe: true;
    }
  | {
      readonly safe: false;
      /** What the audit calls the change, as in `key.revoke`. Null: what it runs records itself. */
      readonly audit: string | null;
    }
);

/** A route as it is mounted and documented, whatever its input and answer are. */
export type Route = Omit<RouteShape<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType>, 'status'> & {
  readonly status: 200 | 204 | 101;
} & (
    | (AuthorisedShape & {
        /** @throws SandgateError `invalid_request` naming every violation, before it runs anything */
        readonly prepare: (raw: RawInput) => Prepared<AuthorisedContext>;
      })
    | {
        readonly access: 'public';
        readonly prepare: (raw: RawInput) => Prepared<PublicContext>;
      }
  );

/** A route of which the compiler knows what it answers. */
type Answering<Answer extends z.ZodType> = Route & { readonly answer: Answer };

/** A request that was read, and can be carried out. */
export interface Prepared<Context> {
  /** Slugs, UUIDs or ids of the workspace that path, query and body name. */
  readonly workspaces: readonly string[];
  /** May throw at once. */
  readonly run: (context: Context) => Awaitable<unknown>;
}

const nothing = z.strictObject({});
type Nothing = typeof nothing;

/** What a route does: the answer's fields, a response for what is not JSON, or null after `respond`. */
type Run<Context, Params, Query, Body, Answer extends z.ZodType> = (
  input: Input<Params, Query, Body>,
  context: Context,
) => Awaitable<z.input<Answer> | Response | null>;

/** Declares a route for keys. Without a declared access it does not compile. */
export function defineRoute<
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(
  route: RouteShape<Params, Query, Body, Answer> &
    AuthorisedShape & {
      readonly run: Run<
        AuthorisedContext,
        z.output<Params>,
        z.output<Query>,
        z.output<Body>,
        Answer
      >;
    },
): Answering<Answer> {
  const { run, status = 200, ...shape } = route;
  const { alsoNeeds = [] } = route;
  const runAllowed: typeof run = (input, context) => {
    for (const scope of alsoNeeds) requireScope(context.access, scope);
    return run(input, context);
  };
  return { ...shape, status, prepare: (raw) => prepare(raw, route, runAllowed) };
}

/** Declares a route that asks for no key. */
export function definePublicRoute<
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(
  route: RouteShape<Params, Query, Body, Answer> & {
    readonly run: Run<PublicContext, z.output<Params>, z.output<Query>, z.output<Body>, Answer>;
  },
): Route {
  const { run, status = 200, ...shape } = route;
  return { ...shape, status, access: 'public', prepare: (raw) => prepare(raw, route, run) };
}

function prepare<
  Context,
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(
  raw: RawInput,
  shape: RouteShape<Params, Query, Body, Answer>,
  run: Run<Context, z.output<Params>, z.output<Query>, z.output<Body>, Answer>,
): Prepared<Context> {
  const input = readInput<z.ZodType, z.ZodType, z.ZodType>(raw, {
    params: shape.params ?? nothing,
    query: shape.query ?? nothing,
    body: shape.body ?? z.undefined(),
  }) as Input<z.output<Params>, z.output<Query>, z.output<Body>>;
  return { workspaces: workspacesIn(input), run: (context) => run(input, context) };
}

/** The one place where a workspace is read from a request's fields. */
function workspacesIn({
  params,
  query,
  body,
}: Input<unknown, unknown, unknown>): readonly string[] {
  return [params, query, body].flatMap((part) => {
    const { workspace } = (part ?? {}) as { readonly workspace?: unknown };
    return typeof workspace === 'string' ? [workspace] : [];
  });
}
