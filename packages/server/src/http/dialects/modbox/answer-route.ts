import { type AuditedChange, audited, SandgateError, type WorkspaceSelector } from '@sandgate/core';
import { actorOf } from '../../authorize/actor-of.ts';
import type { Access, Authorizer } from '../../authorize/authorizer.ts';
import { noChange } from '../../authorize/no-change.ts';
import { readCredential } from '../../authorize/read-credential.ts';
import { reportLimits } from '../../authorize/report-limits.ts';
import { selectWorkspace } from '../../authorize/select-workspace.ts';
import { requirePerson } from '../../people/people-context.ts';
import { readJson } from '../../read-json.ts';
import { headerValues, peerAddress, type RequestContext } from '../../request-context.ts';
import { modboxStatus } from './error-response.ts';
import type {
  AuthorisedModboxContext,
  ModboxContext,
  ModboxRoute,
  ModboxServices,
} from './modbox-route.ts';
import { readFields } from './read-fields.ts';
import { workspaceOfSandbox } from './sandboxes/sandbox-reference.ts';

const maxBodyBytes = 64 * 1024;

type GuardedRoute = Exclude<ModboxRoute, { access: 'public' }>;

/** Answers one request of this door. @throws SandgateError */
export async function answerModbox(
  route: ModboxRoute,
  context: RequestContext,
  services: ModboxServices,
  authorizer: Authorizer,
): Promise<Response> {
  const known: ModboxContext = {
    ...services,
    requestId: context.get('requestId'),
    address: peerAddress(context),
    agent: context.req.header('user-agent') ?? '',
    cookies: context.req.header('cookie') ?? '',
    params: context.req.param() as Record<string, string>,
    url: context.req.url,
    signal: context.req.raw.signal,
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
  const input = await prepare(route, context, known, () =>
    authorizer.personOf({ credential, address }),
  );
  const safe = route.safe ?? route.audit === null;
  return await authorizer.perform(
    {
      credential,
      address,
      workspace: input.selector,
      scope: route.access === 'any key' || route.access === 'user' ? null : route.access,
      method: route.method.toUpperCase(),
      endpoint: route.path,
      requestId,
      safe: safe || 'error' in input,
      onLimits: reportLimits(context, clock),
      statusOf: modboxStatus,
    },
    async (access) => {
      // A request that cannot be read is still a call, counted like any other.
      if ('error' in input) throw input.error;
      let sandboxId: string | null = null;
      const about = (id: string): void => {
        sandboxId = id;
      };
      try {
        const value = await known.calls.run(callerName(access), () =>
          runGuarded(route, input.body, { ...known, access, about }),
        );
        const status = value instanceof Response ? value.status : (route.status ?? 200);
        return { value, status, sandboxId };
      } catch (error) {
        const failure = error instanceof SandgateError ? route.failure?.(error) : null;
        if (failure == null || !(error instanceof SandgateError)) throw error;
        const headers = { 'Cache-Control': 'no-store', 'X-Error-Code': error.code };
        const value = Response.json(failure, { headers });
        return { value, status: value.status, errorCode: error.code, sandboxId };
      }
    },
  );
}

const callerName = ({ caller }: Access): string =>
  caller.kind === 'key' ? String(caller.key.number) : caller.kind;

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
  { storage, params }: ModboxContext,
  personId: () => Promise<string | null>,
): Promise<Prepared> {
  let selector: WorkspaceSelector = { kind: 'own' };
  try {
    const named = namedWorkspaces(route, context);
    selector = await selectWorkspace(storage, named, 'own');
    const body = await readInput(route, context);
    if (route.sandbox !== undefined && named.length === 0) {
      const person = await personId();
      const slug =
        person === null
          ? null
          : await workspaceOfSandbox(storage, person, route.sandbox(body, params));
      if (slug !== null) selector = { kind: 'named', slug, create: false };
    }
    return { selector, body };
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

/** Of header and path, which must agree. */
function namedWorkspaces(route: GuardedRoute, context: RequestContext): readonly string[] {
  const header = context.req.header('x-workspace-id');
  const inPath = route.workspace === 'path' ? context.req.param('workspace_id') : undefined;
  return [header, inPath].filter((name) => name !== undefined);
}

/** @throws SandgateError `invalid_request`, with every problem where FastAPI would list it */
async function readInput(route: ModboxRoute, context: RequestContext): Promise<unknown> {
  if (route.body === null) return undefined;
  const mostBytes = route.maxBodyBytes ?? maxBodyBytes;
  const value = await readJson(context, mostBytes, route.body.isOptional());
  return readFields(route.body, value, 'body');
}
