import { grants, roleScopes } from '@sandgate/core';
import { html } from 'hono/html';
import { allTools } from '../mcp/all-tools.ts';
import type { RequestContext } from '../request-context.ts';
import { consentForm } from './consent-form.ts';
import { logInForm } from './log-in-form.ts';
import type { PendingSignIn } from './oauth-services.ts';
import { page } from './page.ts';
import { type PersonAtPage, personAtPage, type SignInServices } from './sign-in-context.ts';
import type { SocketExchange } from './socket-exchange.ts';

/** The page on which somebody lets a program in, or refuses it. */
export async function showSignIn(
  services: SignInServices,
  context: RequestContext,
  { issuer, request, response }: SocketExchange,
): Promise<Response> {
  const pending = await services.oauth.pending(issuer, request, response);
  if (pending === null) return await nothingWaits(services);
  return await askPerson(services, pending, await personAtPage(services, context));
}

interface Problem {
  readonly status: number;
  readonly message: string;
}

/** Asks the person for the next thing: who they are, or what they allow. */
export async function askPerson(
  services: SignInServices,
  pending: PendingSignIn,
  person: PersonAtPage | null,
  problem: Problem | null = null,
): Promise<Response> {
  const { status = 200, message = null } = problem ?? {};
  const options = { status, nonce: nonceOf(services) };
  const title = `Let ${pending.clientName} in?`;
  if (person === null) {
    const form = logInForm(pending, {
      providers: [...services.signOn.providers.keys()],
      takesPasswords: services.verifyCaptcha === null,
      problem: message,
    });
    return await page(title, form, options);
  }
  const memberships = await services.storage.members.listOfUser(person.user.id);
  const form = consentForm(pending, {
    email: person.user.email,
    choices: memberships.filter(({ role }) => grants(roleScopes[role], 'mcp:call')),
    tools: [...allTools.keys()],
    mostDays: services.oauthGrantDays,
    problem: message,
  });
  return await page(title, form, options);
}

export async function nothingWaits(services: SignInServices): Promise<Response> {
  const text = html`<p>This sign-in is over, or was begun in another browser. Begin again in your program.</p>`;
  return await page('Nothing to decide', text, { status: 400, nonce: nonceOf(services) });
}

const nonceOf = ({ randomness }: Pick<SignInServices, 'randomness'>): string =>
  Buffer.from(randomness.bytes(16)).toString('base64');
