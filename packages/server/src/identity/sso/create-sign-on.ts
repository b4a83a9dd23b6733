import type { Clock, IdentityProvider, Randomness, ServerKey } from '@sandgate/core';
import { createGithubProvider, type GithubOptions } from './github-provider.ts';
import { createOidcProvider, type OidcOptions } from './oidc-provider.ts';
import { createOneTimeCodes } from './one-time-codes.ts';
import { createSignInAttempts } from './sign-in-attempts.ts';

export interface SignOnOptions {
  /** How this server is reached from outside. */
  readonly publicUrl: string;
  readonly providers: Readonly<
    Record<
      string,
      ({ readonly kind: 'oidc' } & OidcOptions) | ({ readonly kind: 'github' } & GithubOptions)
    >
  >;
  /** Where browsers may be sent back to, with their tokens. The first is used when none is named. */
  readonly returnUrls: readonly string[];
  readonly allowSignUp: boolean;
}

/** Single sign-on with the providers of a configuration. */
export function createSignOn(
  options: SignOnOptions,
  parts: {
    readonly clock: Clock;
    readonly randomness: Randomness;
    readonly serverKey: () => ServerKey;
  },
) {
  const providers = new Map<string, IdentityProvider>(
    Object.entries(options.providers).map(([name, provider]) => [
      name,
      provider.kind === 'github' ? createGithubProvider(provider) : createOidcProvider(provider),
    ]),
  );
  return {
    providers,
    returnUrls: options.returnUrls,
    allowSignUp: options.allowSignUp,
    publicUrl: options.publicUrl.replace(/\/$/, ''),
    attempts: createSignInAttempts(parts),
    codes: createOneTimeCodes(parts),
  };
}
