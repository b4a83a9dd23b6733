import { SandgateError, type Storage } from '@sandgate/core';
import type { Access, Authorizer } from '../../../authorize/authorizer.ts';
import { CutSignal } from '../../../authorize/cut-signal.ts';
import { reportLimits } from '../../../authorize/report-limits.ts';
import type { CallLimit } from '../../../call-limit.ts';
import type { IdentityServices } from '../../../identity-services.ts';
import type { OutputBudget } from '../../../output-budget.ts';
import type { OutputPace } from '../../../output-pace.ts';
import { clientRequest } from '../../../port-proxy/client-request.ts';
import {
  headerValues,
  incomingOf,
  outgoingOf,
  peerAddress,
  type RequestContext,
  requestPath,
} from '../../../request-context.ts';
import { upgradeOf } from '../../../upgrade.ts';
import { modboxStatus } from '../error-response.ts';
import { type ActionMatch, matchAction } from './match-action.ts';
import { sandboxCredential } from './sandbox-credential.ts';
import type { SandboxAddress } from './sandbox-url.ts';

export interface SandboxUrlDoor {
  readonly authorizer: Authorizer;
  readonly services: Pick<IdentityServices, 'storage' | 'serverKey' | 'clock'>;
  readonly calls: CallLimit;
  readonly held: OutputBudget;
  readonly pace: OutputPace;
}

/** Answers one request to a sandbox's own URL. @throws SandgateError */
export async function answerSandboxUrl(
  address: SandboxAddress,
  context: RequestContext,
  door: SandboxUrlDoor,
): Promise<Response> {
  const { storage, serverKey, clock } = door.services;
  const peer = peerAddress(context);
  const incoming = incomingOf(context);
  const request = context.req.raw;
  const matched = attempt(() =>
    matchAction(address, context.req.method, requestPath(context).slice(address.prefix.length)),
  );
  const action = 'error' in matched ? null : matched.value.action;
  const { early, respond, responded } = earlyAnswer(context);
  const upgrade = upgradeOf(incoming);
  const ending = new CutSignal(() => request.signal);
  const performed = door.authorizer.perform(
    {
      credential: sandboxCredential(headerValues(context), address, request, serverKey()),
      address: peer,
      workspace: await selectorOf(storage, address),
      scope: action?.scope ?? null,
      method: context.req.method,
      endpoint: `/modbox/s/{sandbox_id}${action?.path ?? '/**'}`,
      requestId: context.get('requestId'),
      safe: false,
      onLimits: reportLimits(context, clock),
      statusOf: modboxStatus,
    },
    async (access) => {
      if ('error' in matched) throw matched.error;
      const { value, sandboxId } = await door.calls.run(callerName(access), () =>
        runAction(matched.value, access),
      );
      const status = responded()?.status ?? (upgrade?.isTaken === true ? 101 : 200);
      return { value, status: value instanceof Response ? value.status : status, sandboxId };
    },
  );
  const value = await Promise.race([
    early,
    // Of a workspace that the caller is not in, no sandbox is told of.
    performed.catch((error: unknown) => Promise.reject(asUnknown(error))),
  ]);
  if (value instanceof Response) return value;
  if (value === null && responded() !== null) return await early;
  return Response.json(value, { headers: { 'Cache-Control': 'no-store' } });

  async function runAction({ action, params, rest }: ActionMatch, access: Access) {
    const { workspace, sandboxes } = access;
    if (workspace === null) throw unknown();
    const sandbox = await sandboxes.find(workspace, address.sandboxId ?? '');
    access.watch(
      (refusal) => (upgrade === null ? ending.cut(refusal) : upgrade.end()),
      () => sandbox.id,
    );
    const { held, pace } = door;
    const client = () => clientRequest(request, incoming, peer);
    const value = await action.run({
      ...{ sandbox, workspace, sandboxes, address, request, client, params, held, pace, respond },
      rest,
      outgoing: outgoingOf(context),
      query: new URL(request.url).search,
      signal: ending.signal,
    });
    return { value, sandboxId: sandbox.id };
  }
}

const unknown = (): SandgateError => new SandgateError('sandbox_not_found', 'Sandbox not found');

const asUnknown = (error: unknown): unknown =>
  error instanceof SandgateError && ['access_denied', 'workspace_not_found'].includes(error.code)
    ? unknown()
    : error;

async function selectorOf(storage: Storage, { sandboxId }: SandboxAddress) {
  const sandbox = sandboxId === null ? null : await storage.sandboxes.findById(sandboxId);
  const workspace =
    sandbox === null ? null : await storage.workspaces.findById(sandbox.workspaceId);
  return workspace === null
    ? ({ kind: 'own' } as const)
    : ({ kind: 'named', slug: workspace.slug, create: false } as const);
}

const callerName = ({ caller }: Access): string =>
  caller.kind === 'key' ? String(caller.key.number) : caller.kind;

function attempt<Value>(
  work: () => Value,
): { readonly value: Value } | { readonly error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/** For what answers before it has ended. */
function earlyAnswer({ req: { raw } }: RequestContext) {
  let response: Response | null = null;
  let settle: (response: Response) => void = () => undefined;
  const early = new Promise<Response>((resolve) => {
    settle = resolve;
  });
  return {
    early,
    responded: (): Response | null => response,
    respond(given: Response): void {
      // Nobody reads the body of an answer to HEAD.
      if (raw.method === 'HEAD') void given.body?.cancel();
      response = given;
      settle(given);
    },
  };
}
