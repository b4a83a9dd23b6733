/** Who somebody is, as a provider of identities says. */
export interface ProvenIdentity {
  /** Its own name of the person, which never changes. */
  readonly subject: string;
  /** Null where it tells none. */
  readonly email: string | null;
  /** That the person has the mailbox, by the provider's word. */
  readonly emailVerified: boolean;
  readonly name: string;
}

/** What has to be kept between the way there and the way back. */
export interface SignInSecrets {
  readonly state: string;
  readonly nonce: string;
  /** RFC 7636. */
  readonly codeVerifier: string;
}

/** A provider that people sign in with. */
export interface IdentityProvider {
  /** Where to send the browser. @throws SandgateError `sign_in_failed` when the provider cannot be reached */
  authorizationUrl(secrets: SignInSecrets, redirectUri: string): Promise<string>;
  /**
   * Exchanges what came back for who it is. `callback` is the whole address that was called.
   * @throws SandgateError `sign_in_failed` for whatever cannot be trusted
   */
  identify(secrets: SignInSecrets, callback: URL): Promise<ProvenIdentity>;
}
