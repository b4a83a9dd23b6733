import { type OutboundPolicy, type ResolveHost, resolveOutbound } from './outbound-target.ts';

/**
 * A `fetch` for a library that judges its connections itself, when they are made, by a dispatcher that it
 * gives: the address is judged by our policy first, and only who the policy names is exempt.
 * @throws OutboundRefused
 */
export const createJudgedFetch =
  (policy: OutboundPolicy, resolve: ResolveHost): typeof fetch =>
  async (input, options) => {
    const url = new URL(input instanceof Request ? input.url : input);
    await resolveOutbound(url, policy, resolve);
    if (!policy.allowedPrivateHosts.includes(url.hostname)) return await fetch(input, options);
    // The library's judgement of connections knows of no exceptions.
    const { dispatcher: _, ...unjudged } = options ?? {};
    return await fetch(input, unjudged);
  };
