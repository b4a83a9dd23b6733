import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveSecret, type McpServer, SandgateError, type ServerKey } from '@sandgate/core';

/** Of which server and whose a session is. */
export interface SessionOwner {
  readonly server: Pick<McpServer, 'id'>;
  /** As in `key:12`. */
  readonly caller: string;
}

/** Binds sessions of upstreams to a server and a caller, with nothing to remember and to lose. */
export interface BoundSessions {
  /** What a client is told of an upstream's session. @throws SandgateError `upstream_failed` */
  bind(upstreamId: string, owner: SessionOwner): string;
  /** The upstream's own id. @throws SandgateError `not_found` for a session of somebody else, or none */
  open(sessionId: string, owner: SessionOwner): string;
}

/** Visible ASCII, as the protocol wants it. */
const idForm = /^[\x21-\x7e]{1,1024}$/;

export function createBoundSessions(serverKey: () => ServerKey): BoundSessions {
  let secret: { readonly version: number; readonly bytes: Buffer } | null = null;
  const currentSecret = (): Buffer => {
    const key = serverKey();
    if (secret?.version !== key.version) {
      secret = { version: key.version, bytes: deriveSecret(key, 'MCP sessions') };
    }
    return secret.bytes;
  };
  const proofOf = (upstreamId: string, { server, caller }: SessionOwner): Buffer =>
    createHmac('sha256', currentSecret())
      .update(JSON.stringify([server.id, caller, upstreamId]))
      .digest();

  return {
    bind(upstreamId, owner) {
      if (!idForm.test(upstreamId)) {
        throw new SandgateError(
          'upstream_failed',
          'The MCP server cannot be used: its session id is none of the protocol',
        );
      }
      const proof = proofOf(upstreamId, owner).toString('base64url');
      return `${Buffer.from(upstreamId).toString('base64url')}.${proof}`;
    },
    open(sessionId, owner) {
      const [, encoded = '', proof = ''] = /^([\w-]{1,1400})\.([\w-]{43})$/.exec(sessionId) ?? [];
      const upstreamId = Buffer.from(encoded, 'base64url').toString('latin1');
      const expected = proofOf(upstreamId, owner);
      const given = Buffer.from(proof, 'base64url');
      if (given.length === expected.length && timingSafeEqual(given, expected)) return upstreamId;
      throw new SandgateError('not_found', 'Session not found. Begin a new one');
    },
  };
}
