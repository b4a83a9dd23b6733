import {
  type ApiKey,
  audited,
  grantKeyText,
  mintKey,
  newResourceId,
  revokeKey,
  SandgateError,
  sharedScopes,
} from '@sandgate/core';
import { actorOf } from '../authorize/actor-of.ts';
import type { Access } from '../authorize/authorizer.ts';
import { callerKey } from '../authorize/caller-key.ts';
import { nativeStatus } from '../native/error-response.ts';
import { personCookie, signInPath } from '../people/person-cookie.ts';
import { peerAddress, type RequestContext, setResponseHeader } from '../request-context.ts';
import { type ChosenGrant, grantOfForm } from './grant-of-form.ts';
import type { PendingSignIn } from './oauth-services.ts';
import { personAtPage, type SignInServices } from './sign-in-context.ts';
import type { SocketExchange } from './socket-exchange.ts';

interface Decision {
  readonly exchange: SocketExchange;
  readonly pending: PendingSignIn;
  readonly form: URLSearchParams;
}

/** What a key lives until its program has come for it: a little longer than the code is good for. */
const unclaimedMs = 2 * 60_000;

/**
 * Makes the key that a program is let in by, under the name and with the rights of whoever sits before
 * the browser, and sends the browser back. False: the program waits no more.
 */
export async function letIn(
  services: SignInServices,
  context: RequestContext,
  decision: Decision,
): Promise<boolean> {
  const person = await personAtPage(services, context);
  if (person === null) throw new SandgateError('session_ended', 'Log in again: that was long ago');
  const { exchange, pending, form } = decision;
  const chosen = grantOfForm(form, pending.resource, services.oauthGrantDays);
  return await services.authorizer.perform(
    {
      credential: person.accessToken,
      address: peerAddress(context),
      requestId: context.get('requestId'),
      method: 'POST',
      endpoint: signInPath,
      scope: 'mcp:call',
      workspace: { kind: 'named', slug: chosen.workspace },
      safe: false,
      statusOf: nativeStatus,
    },
    async (access) => {
      const grantId = newResourceId(services.clock, services.randomness);
      const key = await makeKey(services, context, { access, chosen, pending, grantId });
      const { issuer, request, response } = exchange;
      const cookie = personCookie(services.signOn, context.req.url, '', 0);
      setResponseHeader(context, 'Set-Cookie', cookie);
      const expiresAtMs = services.clock.nowMs() + chosen.lifetimeMs;
      const allowed = { grantId, userId: person.user.id, expiresAtMs };
      const isDone = await services.oauth.allow(issuer, request, response, allowed);
      if (!isDone) await takeBack(services, context, access, key);
      await endSession(services, access);
      return { value: isDone, status: isDone ? 303 : 400 };
    },
  );
}

async function makeKey(
  services: SignInServices,
  context: RequestContext,
  wanted: {
    readonly access: Access;
    readonly chosen: ChosenGrant;
    readonly pending: PendingSignIn;
    readonly grantId: string;
  },
): Promise<ApiKey> {
  const { access, chosen, pending, grantId } = wanted;
  const { workspace } = access;
  const caller = callerKey({ access });
  if (workspace === null || caller === null) throw new Error('A person is in one workspace.');
  const { clientName, clientId, resource } = pending;
  return await audited(
    services.auditLog,
    { ...attemptOf(context, access, 'key.issue'), details: { client: clientId.slice(0, 200) } },
    async (change) => {
      const { key } = await mintKey(
        { ...services, change },
        { caller, workspace, limitsOf: services.limitsOf },
        {
          name: clientName,
          description: `Let in by OAuth, to ${resource}`,
          prefix: 'mbx_',
          text: grantKeyText(services.serverKey(), grantId),
          scopes: sharedScopes(chosen.scopes, caller.scopes),
          restrictions: chosen.restrictions,
          expiresInMs: Math.min(unclaimedMs, chosen.lifetimeMs),
        },
      );
      return key;
    },
  );
}

async function takeBack(
  services: SignInServices,
  context: RequestContext,
  access: Access,
  key: ApiKey,
): Promise<void> {
  await audited(services.auditLog, attemptOf(context, access, 'key.revoke'), (change) =>
    revokeKey({ ...services, change }, key.id),
  );
}

/** It was opened to decide this. */
async function endSession({ storage, clock }: SignInServices, { caller }: Access): Promise<void> {
  const owner = caller.kind === 'key' ? caller.owner : null;
  if (owner?.sessionId == null) return;
  await storage.sessions.end(owner.user.id, owner.sessionId, clock.nowMs());
}

const attemptOf = (context: RequestContext, access: Access, action: string) => ({
  action,
  actor: actorOf(access),
  workspaceId: access.workspace?.id ?? null,
  address: peerAddress(context),
  requestId: context.get('requestId'),
});
