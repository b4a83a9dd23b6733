import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';

/**
 * The official client as a program that signs in by itself. `decide` is the person: it is given the
 * address that the program opens, and answers where the browser ended up.
 */
export function oauthProgram(
  resource: string,
  redirectUrl: string,
  decide: (url: URL) => Promise<URL>,
  clientMetadataUrl?: string,
) {
  const kept: {
    information?: StoredOAuthClientInformation;
    tokens?: StoredOAuthTokens;
    discovered?: OAuthDiscoveryState;
    verifier?: string;
    left?: URL;
  } = {};
  const provider: OAuthClientProvider = {
    redirectUrl,
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    clientMetadata: { client_name: 'An agent', redirect_uris: [redirectUrl] },
    clientInformation: () => kept.information,
    saveClientInformation(information) {
      kept.information = information;
    },
    tokens: () => kept.tokens,
    saveTokens(tokens) {
      kept.tokens = tokens;
    },
    saveDiscoveryState(state) {
      kept.discovered = state;
    },
    discoveryState: () => kept.discovered,
    saveCodeVerifier(verifier) {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier ?? '',
    async redirectToAuthorization(url) {
      kept.left = await decide(url);
    },
  };
  const newTransport = () =>
    new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider });
  const newClient = () => new Client({ name: 'test', version: '1' });

  /** As far as the browser comes back. @returns what finishes the sign-in */
  const begin = async (): Promise<StreamableHTTPClientTransport> => {
    const transport = newTransport();
    try {
      await newClient().connect(transport);
    } catch (error) {
      if (error instanceof UnauthorizedError) return transport;
      throw error;
    }
    throw new Error('The server let a program in that had not signed in.');
  };

  return {
    kept,
    begin,
    async connect(): Promise<Client> {
      const transport = await begin();
      await transport.finishAuth(kept.left?.searchParams ?? new URLSearchParams());
      const client = newClient();
      await client.connect(newTransport());
      return client;
    },
  };
}
