import type { IncomingMessage, ServerResponse } from 'node:http';

/** A program that waits for somebody to let it in, in one browser. */
export interface PendingSignIn {
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string;
  /** Whether the program is described at its own https address, which is its id. */
  readonly isNamedByAddress: boolean;
  /** Where the browser goes then. */
  readonly redirectUri: string;
  /** Path of what the program wants to use, as in `/mcp`. */
  readonly resource: string;
}

type Exchange = readonly [issuer: string, request: IncomingMessage, response: ServerResponse];

/** The authorization server of programs that sign in to MCP. */
export interface OauthServices {
  /** Of the address that a request came to. Null: no programs are signed in there. */
  issuerOf(url: string): string | null;
  /** Answers what is the protocol's. */
  answer(...exchange: Exchange): Promise<void>;
  /** What waits for the person before this browser; null for nothing. */
  pending(...exchange: Exchange): Promise<PendingSignIn | null>;
  /** Sends the browser back to the program, which is let in. False: it waits no more. */
  allow(
    ...given: readonly [
      ...Exchange,
      allowed: { readonly grantId: string; readonly userId: string; readonly expiresAtMs: number },
    ]
  ): Promise<boolean>;
  /** The same, for one that is refused. */
  deny(...exchange: Exchange): Promise<boolean>;
}
