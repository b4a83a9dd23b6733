import type { IdentityProvider, SessionTokens, SignInSecrets } from '@sandgate/core';

/** A sign-in that has begun, in one browser. */
interface SignInAttempt extends SignInSecrets {
  readonly provider: string;
  readonly returnTo: string;
  readonly answer: 'tokens' | 'code' | 'page';
  readonly linkSessionId: string | null;
}

/** What the doors need for single sign-on. */
export interface SignOnServices {
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  readonly returnUrls: readonly string[];
  readonly allowSignUp: boolean;
  /** Without a slash at its end. */
  readonly publicUrl: string;
  readonly attempts: {
    begin(attempt: Omit<SignInAttempt, keyof SignInSecrets>): {
      readonly attempt: SignInAttempt;
      readonly sealed: string;
    };
    open(sealed: string, provider: string): SignInAttempt | null;
  };
  readonly codes: {
    issue(tokens: SessionTokens): string;
    redeem(code: string): SessionTokens | null;
  };
}
