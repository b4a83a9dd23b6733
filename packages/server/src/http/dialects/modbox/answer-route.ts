import {
  type AuditActor,
  type AuditedChange,
  audited,
  callerActor,
  SandgateError,
  type Storage,
  type WorkspaceSelector,
} from '@sandgate/core';
import type { Access, Authorizer } from '../../authorize/authorizer.ts';
import { readCredential } from '../../authorize/read-credential.ts';
import { reportLimits } from '../../authorize/report-limits.ts';
import type { IdentityServices } from '../../identity-services.ts';
import { noChange } from '../../native/answer-route.ts';
import { selectWorkspace } from '../../native/select-workspace.ts';
import { readJson } from '../../read-json.ts';
import { headerValues, peerAddress, type RequestContext } from '../../request-context.ts';
import { modboxStatus } from './error-response.ts';
import {
  type AuthorisedModboxContext,
  type ModboxContext,
  type ModboxRoute,
  requirePerson,
} from './modbox-route.ts';

const maxBodyBytes = 64 * 1024;

type GuardedRoute = Exclude<ModboxRoute, { access: 'public' }>;

/** Answers one request of this door. @throws SandgateError */
export async function answerModbox(
  route: ModboxRoute,
  context: RequestContext,
  services: IdentityServices,
  authorizer: Authorizer,
): Promise<Response> {
  const known: ModboxContext = {
    ...services,
    requestId: context.get('requestId'),
    address: peerAddress(context),
    agent: context.req.header('user-agent') ?? '',
    cookies: context.req.header('cookie') ?? '',
    params: context.req.param() as Record<string, string>,
    query: new URL(context.req.url).searchParams,
  };
  const value =
    route.access === 'public'
      ? await route.run(await readInput(route, context), known)
      : await answerCaller(route, context, known, authorizer);
  if (value instanceof Response) return value;
  const headers = { 'Cache-Control': 'no-store' };
  return Response.json(value, { status: route.status ?? 200, headers });
}

async function answerCaller(
  route: GuardedRoute,
  context: RequestContext,
  known: ModboxContext,
  authorizer: Authorizer,
): Promise<unknown> {
  const { address, requestId, clock } = known;
  const credential = readCredential(headerValues(context), ['authorization']);
  if (route.body !== null) {
    // A stranger's body is not worth reading. The call itself is checked again when it has arrived.
    const refusal = await authorizer.identify({ credential, address });
    if (refusal !== null) throw refusal;
  }
  const input = await prepare(route, context, known.storage);
  return await authorizer.perform(
    {
      credential,
      address,
      workspace: input.selector,
      scope: route.access === 'any key' || route.access === 'user' ? null : route.access,
      method: route.method.toUpperCase(),
      endpoint: route.path,
      requestId,
      safe: route.audit === null || 'error' in input,
      onLimits: reportLimits(context, clock),
      statusOf: modboxStatus,
    },
    async (access) => {
      // A request that cannot be read is still a call, counted like any other.
      if ('error' in input) throw input.error;
      const value = await runGuarded(route, input.body, { ...known, access });
      return { value, status: value instanceof Response ? value.status : (route.status ?? 200) };
    },
  );
}

type Prepared = ({ readonly body: unknown } | { readonly error: unknown }) & {
  readonly selector: WorkspaceSelector;
};

/**
 * What is wrong with a request is told to who may make it: strangers would learn from a conflict which
 * workspaces there are.
 */
async function prepare(
  route: GuardedRoute,
  context: RequestContext,
  storage: Storage,
): Promise<Prepared> {
  let selector: WorkspaceSelector = { kind: 'own' };
  try {
    selector = await selectWorkspace(storage, namedWorkspaces(route, context), 'own');
    return { selector, body: await readInput(route, context) };
  } catch (error) {
    return { selector, error };
  }
}

async function runGuarded(
  route: GuardedRoute,
  body: unknown,
  known: Omit<AuthorisedModboxContext, 'change'>,
): Promise<unknown> {
  const run = async (change: AuditedChange): Promise<unknown> => {
    const context = { ...known, change };
    if (route.access === 'user') requirePerson(context);
    return await route.run(body, context);
  };
  if (route.audit === null) return await run(noChange);
  const attempt = {
    action: route.audit,
    actor: actorOf(known.access),
    workspaceId: known.access.workspace?.id ?? null,
    address: known.address,
    requestId: known.requestId,
  };
  return await audited(known.auditLog, attempt, run);
}

const actorOf = ({ caller }: Access): AuditActor =>
  caller.kind === 'key' ? callerActor(caller.key.number) : { kind: 'development' };

/** Of header and path, which must agree. */
function namedWorkspaces(route: GuardedRoute, context: RequestContext): readonly string[] {
  const header = context.req.header('x-workspace-id');
  const inPath = route.workspace === 'path' ? context.req.param('workspace_id') : undefined;
  return [header, inPath].filter((name) => name !== undefined);
}

/** @throws SandgateError `invalid_request`, with every problem where FastAPI would list it */
async function readInput(route: ModboxRoute, context: RequestContext): Promise<unknown> {
  if (route.body === null) return undefined;
  const value = await readJson(context, maxBodyBytes, route.body.isOptional());
  const { data, error } = route.body.safeParse(value);
  if (error === undefined) return data;
  const issues = error.issues.map(({ path, message, code }) => ({
    loc: ['body', ...path.map(String)],
    msg: message,
    type: code,
  }));
  const text = issues.map(({ loc, msg }) => `${loc.slice(1).join('.') || 'the body'}: ${msg}`);
  throw new SandgateError('invalid_request', text.join('; '), { data: { issues } });
}
