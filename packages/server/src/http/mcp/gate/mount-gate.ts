import {
  type CallRecorder,
  type Clock,
  createFailureBudget,
  type PlacedMcpServer,
  SandgateError,
  type ServerKey,
  type Storage,
  type Timers,
} from '@sandgate/core';
import type { Logger } from 'pino';
import type { Authorizer } from '../../authorize/authorizer.ts';
import { RepeatedChecks } from '../../authorize/repeated-checks.ts';
import { CallLimit } from '../../call-limit.ts';
import { explainFailure } from '../../explain-failure.ts';
import {
  type App,
  answerTo,
  type RequestContext,
  setResponseHeader,
} from '../../request-context.ts';
import type { SignOnServices } from '../../sign-on-services.ts';
import { metadataUrlOf } from '../protected-resource.ts';
import { answerGuarded } from './answer-guarded.ts';
import { answerHealth } from './answer-health.ts';
import { answerOpen } from './answer-open.ts';
import { createBoundSessions } from './bound-session.ts';
import type { ForwardDependencies } from './forward-message.ts';
import { gateErrorResponse } from './gate-error.ts';
import { admitPage, answerPreflight } from './page-access.ts';
import { type Received, receiveMessage } from './receive-message.ts';
import { ToolEndpoints } from './tool-endpoints.ts';

export interface GateDependencies extends Omit<ForwardDependencies, 'sessions'> {
  readonly storage: Pick<Storage, 'mcpServers'>;
  readonly authorizer: Authorizer;
  /** Of calls of tools. */
  readonly callRecorder: Pick<CallRecorder, 'take'>;
  readonly serverKey: () => ServerKey;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly signOn: SignOnServices;
  /** Calls of servers without authentication that an address may make in a minute. */
  readonly openCallsPerMinute: number;
}

/** What all requests at the gate share. */
export interface Gate extends GateDependencies, ForwardDependencies {
  readonly calls: CallLimit;
  /** The server of that name as it is stored now; null when it is gone or switched off. */
  readonly find: (name: string) => Promise<PlacedMcpServer | null>;
  readonly openStreams: RepeatedChecks;
  readonly endpoints: ToolEndpoints;
  /** @throws SandgateError `rate_limited` */
  readonly chargeAddress: (address: string) => void;
}

/** The gate in front of other MCP servers: `/mcp/servers/{name}`. */
export function mountGate(app: App, dependencies: GateDependencies): void {
  const { storage, clock, timers, log, serverKey, signOn } = dependencies;
  const find = async (name: string): Promise<PlacedMcpServer | null> => {
    const placed = await storage.mcpServers.findByName(name);
    return placed?.server.enabled === true ? placed : null;
  };
  const budget = createFailureBudget(dependencies.openCallsPerMinute);
  const gate: Gate = {
    ...dependencies,
    sessions: createBoundSessions(serverKey),
    calls: new CallLimit(),
    find,
    openStreams: new RepeatedChecks({
      timers,
      onError: (error) => log.error({ err: error }, 'open streams could not be looked at'),
    }),
    endpoints: new ToolEndpoints(),
    chargeAddress(address) {
      const retryAfterMs = budget.charge(address, clock.nowMs());
      if (retryAfterMs === 0) return;
      throw new SandgateError(
        'rate_limited',
        `Too many calls from this address. Try again in ${Math.ceil(retryAfterMs / 1_000)} seconds`,
        { data: { window: 'address', retryAfterMs } },
      );
    },
  };
  app.get('/mcp/servers/:name/health', (context) =>
    answering(context, log, null, signOn, async () =>
      answerHealth(gate, context, (await find(context.req.param('name')))?.server ?? null),
    ),
  );
  app.all('/mcp/servers/:name', async (context) => {
    const name = context.req.param('name');
    const received: { current: Received | null } = { current: null };
    return await answering(context, log, received, signOn, async () => {
      const placed = await find(name);
      const access = admitPage(context, placed?.server ?? null);
      for (const [header, value] of Object.entries(access)) {
        setResponseHeader(context, header, value);
      }
      if (context.req.method === 'OPTIONS') return answerPreflight(context, access);
      const receive = async (): Promise<Received> => {
        received.current = await receiveMessage(context);
        return received.current;
      };
      return isOpen(placed)
        ? await answerOpen(gate, context, placed.server, receive)
        : await answerGuarded(gate, context, { name, placed }, receive);
    });
  });
}

const isOpen = (placed: PlacedMcpServer | null): placed is PlacedMcpServer =>
  placed !== null && !placed.server.authentication;

async function answering(
  context: RequestContext,
  log: Logger,
  received: { readonly current: Received | null } | null,
  settings: GateDependencies['signOn'],
  answer: () => Promise<Response>,
): Promise<Response> {
  try {
    return await answer();
  } catch (thrown) {
    const error = explainFailure(thrown, answerTo(context), log);
    return gateErrorResponse(
      error,
      received?.current?.message ?? null,
      received?.current?.id ?? null,
      metadataUrlOf(context, settings),
    );
  }
}
