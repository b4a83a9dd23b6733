import { type IdentityProvider, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { requirePerson } from '../../../people/people-context.ts';
import { signInPath } from '../../../people/person-cookie.ts';
import {
  defineModboxDoor,
  defineModboxRoute,
  type ModboxContext,
  optionalText,
} from '../modbox-route.ts';
import { attemptCookie, callbackUrl } from './attempt-cookie.ts';

interface Wanted {
  readonly returnTo: string | undefined;
  readonly answer: 'tokens' | 'code' | 'page';
  readonly linkSessionId: string | null;
}

export const beginSignInRoute = defineModboxDoor({
  method: 'get',
  path: '/auth/sso/{provider}',
  async run(_, context) {
    const { query } = context;
    const begun = await begin(context, {
      returnTo: query.get('return_to') ?? undefined,
      answer: answerOf(query.get('answer')),
      linkSessionId: null,
    });
    return new Response(null, {
      status: 302,
      headers: { Location: begun.url, 'Set-Cookie': begun.cookie, 'Cache-Control': 'no-store' },
    });
  },
});

const answerOf = (asked: string | null): Wanted['answer'] =>
  asked === 'code' || asked === 'page' ? asked : 'tokens';

/** For who has logged in: the sign-in that follows adds the identity to their account. */
export const linkIdentityRoute = defineModboxRoute({
  method: 'post',
  path: '/auth/sso/{provider}/link',
  access: 'user',
  workspace: 'header',
  audit: 'identity.begin_link',
  body: z.object({ return_to: optionalText(2_000) }),
  async run({ return_to: returnTo }, context) {
    const { sessionId, user } = requirePerson(context);
    context.change.note({ target: `user:${user.number}` });
    const begun = await begin(context, { returnTo, answer: 'tokens', linkSessionId: sessionId });
    return Response.json(
      { url: begun.url },
      { headers: { 'Set-Cookie': begun.cookie, 'Cache-Control': 'no-store' } },
    );
  },
});

async function begin(context: ModboxContext, { returnTo, answer, linkSessionId }: Wanted) {
  const { signOn } = context;
  const name = context.params.provider ?? '';
  const provider = requireProvider(context);
  const ownPage = `${signOn.publicUrl}${signInPath}`;
  const to = answer === 'page' ? ownPage : (returnTo ?? signOn.returnUrls[0]);
  // The whole address is compared: a prefix would let others in behind it.
  if (
    to === undefined ||
    ![...signOn.returnUrls, ...(answer === 'page' ? [ownPage] : [])].includes(to)
  ) {
    throw new SandgateError(
      'redirect_refused',
      'return_to: is none of the addresses that this server may return to',
    );
  }
  const { attempt, sealed } = signOn.attempts.begin({
    provider: name,
    returnTo: to,
    answer,
    linkSessionId,
  });
  const url = await provider.authorizationUrl(attempt, callbackUrl(signOn, name));
  return { url, cookie: attemptCookie(signOn, sealed) };
}

/** @throws SandgateError `not_found` */
export function requireProvider({ signOn, params }: ModboxContext): IdentityProvider {
  const provider = signOn.providers.get(params.provider ?? '');
  if (provider !== undefined) return provider;
  throw new SandgateError('not_found', 'There is no such provider');
}
