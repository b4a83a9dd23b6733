import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { whenKnown } from '@sandgate/core';
import { addLimitHeaders } from '../authorize/limit-headers.ts';
import { noChange } from '../authorize/no-change.ts';
import { readCredential } from '../authorize/read-credential.ts';
import { explainFailure } from '../explain-failure.ts';
import { logRequest } from '../log-request.ts';
import { sessionCookies } from '../people/session-cookies.ts';
import { hasRawHeader, rawHeaderValues } from '../request-context.ts';
import type { TurnEnd } from '../turn-end.ts';
import { allRoutes } from './all-routes.ts';
import { type AuthorisedRoute, callOf } from './answer-route.ts';
import { nativeErrorAnswer } from './error-response.ts';
import type { NativeDependencies } from './mount.ts';
import { createNativeBounds } from './native-bounds.ts';
import { acceptedHeaders } from './presented-credential.ts';
import type {
  AuthorisedContext,
  Exchange,
  NativeServices,
  Prepared,
  PublicContext,
} from './route.ts';

/** Answers a request, or gives false and leaves it to the app. */
export type DirectAnswers = (request: IncomingMessage, response: ServerResponse) => boolean;

type DirectDependencies = NativeDependencies & NativeServices;

/** What is the same for every request that is answered directly. */
interface DirectRoute {
  readonly call: ReturnType<typeof callOf>;
  readonly run: Prepared<AuthorisedContext>['run'];
  readonly shared: SharedContext;
}

/** What a route is given that is the same for every call. */
type SharedContext = Omit<AuthorisedContext, 'requestId' | 'address' | 'access'>;

/**
 * A shorter way to the answer of the route that is asked before everything else. The credential is
 * read, checked, charged and written down by the same code as for every other request; what is left
 * out is the making of a web-standard request and response. A request that gives anything but a key
 * takes the long way.
 */
export function createDirectAnswers(
  services: NativeDependencies,
  turnEnd: Pick<TurnEnd, 'gather'>,
): DirectAnswers {
  const dependencies = { ...services, ...createNativeBounds(services) };
  const routes = new Map<string, DirectRoute>();
  for (const route of allRoutes) {
    if (isDirect(route)) routes.set(route.path, directRoute(route, dependencies));
  }
  return (request, response) => {
    const route = request.method === 'GET' ? routes.get(request.url ?? '') : undefined;
    if (route === undefined || hasRawHeader(request.rawHeaders, 'x-workspace-id')) return false;
    if (request.headers.cookie?.includes(sessionCookies.access) === true) return false;
    turnEnd.gather(() => void answerDirectly(route, request, response, dependencies));
    return true;
  };
}

/** Takes nothing but a key, changes nothing, and answers nothing but headers. */
const isDirect = (route: (typeof allRoutes)[number]): route is AuthorisedRoute =>
  route.access !== 'public' && route.method === 'get' && route.safe && route.status === 204;

/** None of these routes takes any input, so that what it prepares is the same for every request. */
function directRoute(route: AuthorisedRoute, dependencies: DirectDependencies): DirectRoute {
  const { run } = route.prepare({ params: {}, query: new URLSearchParams(), body: undefined });
  const shared: SharedContext = {
    ...dependencies,
    accept: '',
    agent: '',
    page: noPage,
    exchange: noExchange,
    change: noChange,
    ownChildrenOnly: false,
  };
  return { call: callOf(route), run, shared };
}

/** Inherits what is shared: to copy it for each call would cost more than the check of a key's limits. */
const contextOf = (
  shared: SharedContext,
  own: Pick<AuthorisedContext, 'requestId' | 'address' | 'access'>,
): AuthorisedContext => Object.assign(Object.create(shared), own);

async function answerDirectly(
  { call, run, shared }: DirectRoute,
  { rawHeaders, socket }: IncomingMessage,
  response: ServerResponse,
  dependencies: DirectDependencies,
): Promise<void> {
  const { authorizer, clock, log } = dependencies;
  const startedMs = performance.now();
  const requestId = randomUUID();
  const address = socket.remoteAddress ?? '';
  const headers = ['x-request-id', requestId];
  let status = 204;
  let body: string | undefined;
  try {
    await authorizer.perform(
      {
        ...call,
        credential: readCredential((name) => rawHeaderValues(rawHeaders, name), acceptedHeaders),
        address,
        workspace: reach,
        requestId,
        safe: true,
        onLimits: (limits) => addLimitHeaders(headers, limits, clock.nowMs()),
      },
      (access) =>
        whenKnown(run(contextOf(shared, { requestId, address, access })), (value) => ({
          value,
          status,
        })),
    );
    headers.push('Cache-Control', 'no-store');
  } catch (thrown) {
    const setHeader = (name: string, value: string): void => void headers.push(name, value);
    const error = nativeErrorAnswer(explainFailure(thrown, { requestId, setHeader }, log));
    ({ status, body } = error);
    headers.push(...error.headers.flat(), 'Content-Length', String(Buffer.byteLength(body)));
  }
  response.writeHead(status, headers).end(body);
  logRequest(log, { requestId, method: call.method, status, startedMs });
}

/** What comes from a page has cookies, and takes the long way. */
const noPage: PublicContext['page'] = {
  url: '',
  host: undefined,
  origin: undefined,
  site: undefined,
  csrfToken: undefined,
  cookies: '',
};

const reach = { kind: 'reach' } as const;

/** These routes read nothing of the connection, and answer at once. */
const noExchange: Exchange = {
  get request(): never {
    throw new Error('A route that is answered directly has no request.');
  },
  incoming: undefined,
  outgoing: undefined,
  signal: new AbortController().signal,
  respond: () => undefined,
  about: () => undefined,
  boundTo: null,
  issueTicket() {
    throw new Error('A route that is answered directly makes no tickets.');
  },
};
