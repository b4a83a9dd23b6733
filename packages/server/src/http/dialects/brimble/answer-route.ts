import { SandgateError, type WorkspaceSelector } from '@sandgate/core';
import type { Access, Authorizer } from '../../authorize/authorizer.ts';
import { CutSignal } from '../../authorize/cut-signal.ts';
import { type CredentialHeader, readCredential } from '../../authorize/read-credential.ts';
import { reportLimits } from '../../authorize/report-limits.ts';
import { selectWorkspace } from '../../authorize/select-workspace.ts';
import type { OutputAllowance } from '../../output-budget.ts';
import { readJson } from '../../read-json.ts';
import {
  headerValues,
  incomingOf,
  outgoingOf,
  peerAddress,
  type RequestContext,
} from '../../request-context.ts';
import type {
  BrimbleAnswer,
  BrimbleBounds,
  BrimbleContext,
  BrimbleRoute,
  BrimbleServices,
} from './brimble-route.ts';
import { envelope } from './envelope.ts';
import { brimbleErrorResponse, brimbleStatus } from './error-response.ts';
import {
  answerOnce,
  type PlainAnswer,
  plainResponse,
  requireIdempotencyKey,
} from './idempotency.ts';
import type { RouteMatch } from './match-route.ts';
import { requireIds } from './resource-ids.ts';

export interface BrimbleDoor {
  readonly services: BrimbleServices & BrimbleBounds;
  readonly authorizer: Authorizer;
}

interface Input {
  readonly query: unknown;
  readonly body: unknown;
}

/** Input that can be used, or (error) why it cannot. */
type Prepared = (Input | { readonly error: SandgateError }) & {
  readonly selector: WorkspaceSelector;
  readonly idempotencyKey: string | null;
};

/** Statuses that clients try again by themselves, by then with nothing left of a streamed body. */
const retriedStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Answers one request of this door. @throws SandgateError */
export async function answerBrimble(
  match: RouteMatch,
  context: RequestContext,
  door: BrimbleDoor,
): Promise<Response> {
  // Whose key it is is not known before the body has come: each has a share.
  const holder = credentialOf(match.route, context) ?? '';
  const body = door.services.uploads.open(match.route.maxBodyBytes, holder);
  try {
    return await answer(match, context, door, body);
  } finally {
    body.release();
  }
}

async function answer(
  { route, params, rest }: RouteMatch,
  context: RequestContext,
  { services, authorizer }: BrimbleDoor,
  held: OutputAllowance,
): Promise<Response> {
  const address = peerAddress(context);
  const requestId = context.get('requestId');
  const credential = credentialOf(route, context);
  if (takesBody(route)) {
    // A stranger's body is not worth reading. The call itself is checked again when it has arrived.
    const refusal = await authorizer.identify({ credential, address });
    if (refusal !== null) throw refusal;
  }
  if (route.holdsBody && !held.take(statedBytes(route, context))) throw tooMuchHeld();
  const prepared = await prepare(route, params, context, services);
  let respond: (response: Response) => void = () => undefined;
  const responded = new Promise<Response>((resolve) => {
    respond = resolve;
  });
  let began = false;
  const ending = new CutSignal(() => context.req.raw.signal);
  const performed = authorizer.perform<Response | null>(
    {
      credential,
      address,
      workspace: prepared.selector,
      scope: route.scope,
      method: route.method,
      endpoint: route.path,
      requestId,
      safe: route.safe || 'error' in prepared,
      onLimits: reportLimits(context, services.clock),
      statusOf: brimbleStatus,
    },
    async (access) => {
      // A request that cannot be read is still a call, counted like any other.
      if ('error' in prepared) throw prepared.error;
      began = true;
      const call: BrimbleContext = Object.assign(ending, {
        ...services,
        access,
        workspace: requireWorkspace(access),
        sandboxes: access.sandboxes,
        address,
        requestId,
        userAgent: context.req.header('user-agent') ?? '',
        request: context.req.raw,
        incoming: incomingOf(context),
        outgoing: outgoingOf(context),
        params,
        rest,
        respond(response: Response) {
          access.watch((refusal) => ending.cut(refusal));
          respond(response);
        },
      });
      const run = () => carryOut(route, prepared, call);
      const { response, sandboxId = params.sandboxId } = route.safe
        ? await run()
        : await services.calls.run(nameOf(access.caller), run);
      const status = response?.status ?? route.status;
      return { value: response, status, sandboxId: sandboxId ?? null };
    },
  );
  // A route that gives null has responded, and its body tells of whatever happens later.
  const answered = performed.then((response) => response ?? responded);
  try {
    return await Promise.race([responded, answered]);
  } catch (error) {
    const again = error instanceof SandgateError && retriedStatuses.has(brimbleStatus(error));
    if (!route.onceOnly || !began || !again) throw error;
    return brimbleErrorResponse(error, 409);
  }
}

/** What may come, where a request does not say. What is too large is refused before it is read. */
const statedBytes = ({ maxBodyBytes }: BrimbleRoute, context: RequestContext): number =>
  Math.min(Number(context.req.header('content-length') ?? maxBodyBytes), maxBodyBytes);

const tooMuchHeld = (): SandgateError =>
  new SandgateError(
    'capacity_exceeded',
    'This server holds as many uploads as it may. Try again in a second',
    { data: { retryAfterMs: 1_000 } },
  );

const nameOf = (caller: Access['caller']): string =>
  caller.kind === 'key' ? String(caller.key.number) : caller.kind;

const takesBody = ({ body, method, onceOnly }: BrimbleRoute): boolean =>
  body !== null || (method === 'PUT' && onceOnly);

const accountHeaders: readonly CredentialHeader[] = ['x-api-key', 'authorization'];

/** @throws SandgateError `credential_ambiguous` */
function credentialOf({ credential }: BrimbleRoute, context: RequestContext): string | null {
  const values = headerValues(context);
  if (credential === 'account') return readCredential(values, accountHeaders);
  // Whatever else a request carries is not looked at here: Bearer is no way in, nor in the way.
  const own = (name: CredentialHeader) => (name === 'x-brimble-key' ? values(name) : []);
  return readCredential(own, ['x-brimble-key']);
}

function requireWorkspace({ workspace }: Access) {
  if (workspace !== null) return workspace;
  throw new SandgateError('invalid_request', 'teamId: name a team');
}

async function prepare(
  route: BrimbleRoute,
  params: Readonly<Record<string, string>>,
  context: RequestContext,
  { storage }: BrimbleServices,
): Promise<Prepared> {
  const given = route.idempotent ? context.req.header('idempotency-key') : undefined;
  let selector: WorkspaceSelector = { kind: 'own' };
  try {
    const query = readQuery(route, new URL(context.req.url).searchParams);
    const body = await readBody(route, context);
    selector = await selectWorkspace(storage, [...teamsIn(query), ...teamsIn(body)], 'own');
    requireIds(params);
    const idempotencyKey = given === undefined ? null : requireIdempotencyKey(given);
    return { query, body, selector, idempotencyKey };
  } catch (error) {
    if (!(error instanceof SandgateError)) throw error;
    return { error, selector, idempotencyKey: null };
  }
}

/** The one place where a workspace is read from a request's fields. */
function teamsIn(part: unknown): readonly string[] {
  const { teamId } = (part ?? {}) as { readonly teamId?: unknown };
  return typeof teamId === 'string' ? [teamId] : [];
}

/** @throws SandgateError `invalid_request`, also for a field that says two things, as two teams */
function readQuery({ query }: BrimbleRoute, values: URLSearchParams): unknown {
  const repeated = [...values.keys()].find((name) => values.getAll(name).length > 1);
  if (repeated === undefined) return requireForm(query, Object.fromEntries(values));
  throw new SandgateError('invalid_request', `${repeated}: is given more than once`);
}

async function readBody(
  { body, maxBodyBytes }: BrimbleRoute,
  context: RequestContext,
): Promise<unknown> {
  if (body === null) return undefined;
  return requireForm(body, await readJson(context, maxBodyBytes, body.isOptional()));
}

/** @throws SandgateError `invalid_request`, naming every violation */
function requireForm(schema: BrimbleRoute['query'], value: unknown): unknown {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const problems = error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the body'}: ${message}`,
  );
  throw new SandgateError('invalid_request', problems.join('; '));
}

async function carryOut(
  route: BrimbleRoute,
  { query, body, idempotencyKey }: Input & Pick<Prepared, 'idempotencyKey'>,
  call: BrimbleContext,
): Promise<{ readonly response: Response | null; readonly sandboxId?: string }> {
  let sandboxId: string | undefined;
  const run = async (): Promise<BrimbleAnswer> => {
    const answer = await route.run({ query, body }, call);
    sandboxId = answer.sandboxId;
    return answer;
  };
  const about = () => (sandboxId === undefined ? {} : { sandboxId });
  if (idempotencyKey === null) {
    const answer = await run();
    const { response = plainResponse(toPlain(route, answer)) } = answer;
    return { response, ...about() };
  }
  const request = {
    key: idempotencyKey,
    method: route.method,
    path: fill(route.path, call.params),
    content: [call.workspace.id, query, body ?? null],
    signal: call.signal,
  };
  const response = await answerOnce(call, call.access.caller, request, async () =>
    toPlain(route, await run()),
  );
  return { response, ...about() };
}

const toPlain = ({ status, message }: BrimbleRoute, { data }: BrimbleAnswer): PlainAnswer => ({
  status,
  body: status === 204 ? null : envelope(message, data),
});

const fill = (path: string, params: Readonly<Record<string, string>>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
