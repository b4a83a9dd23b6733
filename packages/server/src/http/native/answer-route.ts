import { audited, grants, SandgateError, type WorkspaceSelector } from '@sandgate/core';
import { actorOf } from '../authorize/actor-of.ts';
import type { Access, Authorizer } from '../authorize/authorizer.ts';
import { CutSignal } from '../authorize/cut-signal.ts';
import { noChange } from '../authorize/no-change.ts';
import { reportLimits } from '../authorize/report-limits.ts';
import { selectWorkspace } from '../authorize/select-workspace.ts';
import { requirePerson } from '../people/people-context.ts';
import { readJson } from '../read-json.ts';
import { incomingOf, outgoingOf, peerAddress, type RequestContext } from '../request-context.ts';
import { upgradeOf } from '../upgrade.ts';
import { nativeStatus } from './error-response.ts';
import { type Presented, pageHeaders, presentedCredential } from './presented-credential.ts';
import {
  type AuthorisedContext,
  type Exchange,
  type NativeServices,
  type Prepared,
  type Route,
  smallBodyBytes,
} from './route.ts';
import type { TicketRight } from './terminal/ticket-box.ts';

export type AuthorisedRoute = Exclude<Route, { access: 'public' }>;
type PublicRoute = Extract<Route, { access: 'public' }>;

/** Answers one request of this door. @throws SandgateError */
export async function answerRoute(
  route: Route,
  context: RequestContext,
  services: NativeServices,
  authorizer: Authorizer,
): Promise<Response> {
  const value =
    route.access === 'public'
      ? await answerStranger(route as PublicRoute, context, services)
      : await answerKey(route as AuthorisedRoute, context, services, authorizer);
  if (value instanceof Response) return value;
  const headers = { 'Cache-Control': 'no-store' };
  return route.status === 204
    ? new Response(null, { status: 204, headers })
    : Response.json(value, { headers });
}

const publicContext = (context: RequestContext, services: NativeServices) => ({
  ...services,
  requestId: context.get('requestId'),
  address: peerAddress(context),
  accept: context.req.header('accept') ?? '',
  agent: context.req.header('user-agent') ?? '',
  page: pageHeaders(context),
});

async function answerStranger(
  route: PublicRoute,
  context: RequestContext,
  services: NativeServices,
): Promise<unknown> {
  const prepared = route.prepare(await readRaw(route, context));
  return await prepared.run(publicContext(context, services));
}

async function answerKey(
  route: AuthorisedRoute,
  context: RequestContext,
  services: NativeServices,
  authorizer: Authorizer,
): Promise<unknown> {
  const known = publicContext(context, services);
  const { address } = known;
  const presented = presentedCredential(route, context, services);
  const { credential } = presented;
  if (route.body !== undefined || route.upload !== undefined) {
    // A stranger's body is not worth reading. The call itself is checked again when it has arrived.
    const refusal = await authorizer.identify({ credential, address });
    if (refusal !== null) throw refusal;
  }
  const { selector, run, safe } = await prepareCall(route, context, services, presented);
  const { early, exchange, state, ending } = openExchange(context, services, presented);
  const upgrade = upgradeOf(exchange.incoming);
  const statusOf = (value: unknown): number => {
    if (state.responded !== null) return state.responded.status;
    if (upgrade?.isTaken === true) return 101;
    return value instanceof Response ? value.status : route.status;
  };
  const performed = authorizer.perform(
    {
      ...callOf(route),
      ...(route.forwards === true ? { method: context.req.method } : {}),
      credential,
      address,
      workspace: selector,
      requestId: known.requestId,
      safe,
      onLimits: reportLimits(context, services.clock),
    },
    async (access) => {
      const change = 'audit' in route && !safe ? route.audit : null;
      const runIt = async (called: AuthorisedContext): Promise<unknown> => {
        if (route.access === 'person') requirePerson(called);
        return await run(called);
      };
      const called = {
        ...known,
        access,
        exchange,
        ownChildrenOnly: ownChildrenOnly(route, access),
      };
      const work = () =>
        change === null
          ? runIt({ ...called, change: noChange })
          : runAudited(change, called, runIt);
      const about = () => state.sandboxId;
      if (upgrade !== null) access.watch(() => upgrade.end(), about);
      else state.onResponded = () => access.watch((refusal) => ending.cut(refusal), about);
      const value = safe ? await work() : await services.calls.run(nameOf(access.caller), work);
      return { value, status: statusOf(value), sandboxId: state.sandboxId };
    },
  );
  // A route that has responded tells of whatever happens later in its body.
  return await Promise.race([
    early,
    performed.then((value) => (state.responded === null ? value : early)),
  ]);
}

/** Whether a call is open to its caller by `key:mint` alone. */
const ownChildrenOnly = (route: AuthorisedRoute, { caller }: Access): boolean =>
  route.ownChildren === true &&
  route.access !== 'any key' &&
  route.access !== 'person' &&
  caller.kind === 'key' &&
  !grants(caller.key.scopes, route.access);

const nameOf = (caller: Access['caller']): string =>
  caller.kind === 'key' ? String(caller.key.number) : caller.kind;

function openExchange(
  context: RequestContext,
  { tickets }: Pick<NativeServices, 'tickets'>,
  { credential, ticket }: Presented,
) {
  const { raw } = context.req;
  const state = {
    sandboxId: null as string | null,
    responded: null as Response | null,
    onResponded: (): void => undefined,
  };
  /** Ends what the answer is made of, as a client that goes away does. */
  const ending = new CutSignal(() => raw.signal);
  let settle: (response: Response) => void = () => undefined;
  const early = new Promise<Response>((resolve) => {
    settle = resolve;
  });
  const exchange: Exchange = Object.assign(ending, {
    request: raw,
    incoming: incomingOf(context),
    outgoing: outgoingOf(context),
    respond(response: Response) {
      // Nobody reads the body of an answer to HEAD.
      if (raw.method === 'HEAD') void response.body?.cancel();
      state.responded = response;
      state.onResponded();
      settle(response);
    },
    about(sandboxId: string) {
      state.sandboxId = sandboxId;
    },
    boundTo: ticket?.sandboxId ?? null,
    issueTicket: (right: Omit<TicketRight, 'credential'>) =>
      tickets.issue({ credential, ...right }),
  });
  return { early, exchange, state, ending };
}

/** What a route says of every call of it. */
export const callOf = (route: AuthorisedRoute) => ({
  scope: route.access === 'any key' || route.access === 'person' ? null : route.access,
  ownChildren: route.ownChildren === true,
  method: route.method.toUpperCase(),
  endpoint: route.path,
  statusOf: nativeStatus,
});

/** Carries a change out, with its record in the audit. */
async function runAudited(
  action: string,
  known: Omit<AuthorisedContext, 'change'>,
  run: (context: AuthorisedContext) => Promise<unknown>,
): Promise<unknown> {
  const { access, address, requestId, auditLog } = known;
  const attempt = {
    action,
    actor: actorOf(access),
    workspaceId: access.workspace?.id ?? null,
    address,
    requestId,
  };
  return await audited(auditLog, attempt, (change) => run({ ...known, change }));
}

interface PreparedCall {
  readonly selector: WorkspaceSelector;
  readonly run: Prepared<AuthorisedContext>['run'];
  readonly safe: boolean;
}

/**
 * A request that cannot be read is still a call: whether the key may make it is decided first, and
 * it is written down and counted like any other.
 */
async function prepareCall(
  route: AuthorisedRoute,
  context: RequestContext,
  { storage }: NativeServices,
  { ticket }: Presented,
): Promise<PreparedCall> {
  const header = ticket?.workspace ?? context.req.header('x-workspace-id');
  const named = header === undefined ? [] : [header];
  let selector: WorkspaceSelector = { kind: 'reach' };
  try {
    selector = await selectWorkspace(storage, named, 'reach');
    const prepared = route.prepare(await readRaw(route, context));
    const all = [...named, ...prepared.workspaces];
    selector = await selectWorkspace(storage, all, route.workspace);
    return { selector, run: prepared.run, safe: route.safe };
  } catch (error) {
    if (!(error instanceof SandgateError)) throw error;
    return { selector, run: () => Promise.reject(error), safe: true };
  }
}

async function readRaw(route: Route, context: RequestContext) {
  return {
    params: context.req.param() as Record<string, string>,
    query: route.forwards === true ? new URLSearchParams() : new URL(context.req.url).searchParams,
    body:
      route.body === undefined
        ? undefined
        : await readJson(context, route.maxBodyBytes ?? smallBodyBytes, route.body.isOptional()),
  };
}
