import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveSecret } from '../key/derive-secret.ts';
import type { ServerKey } from '../key/key-digest.ts';

/** Where the log ends. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
}

/** A head that only the holder of the server key can make. */
export interface SealedAuditHead extends AuditHead {
  /** Which server key sealed it; null, with the seal, on a log that never had an entry. */
  readonly serverKeyVersion: number | null;
  /** HMAC-SHA256, in hex. */
  readonly seal: string | null;
}

export type SealState =
  | 'valid'
  /** Sealed under another server key, so that this one cannot tell. */
  | 'other_key'
  | 'invalid';

export interface AuditSealer {
  seal(head: AuditHead): SealedAuditHead;
  check(head: SealedAuditHead): SealState;
}

/** Seals with a secret that is derived from the server key and stored nowhere. */
export function createAuditSealer(serverKey: ServerKey): AuditSealer {
  const secret = deriveSecret(serverKey, 'audit head');
  const sealOf = ({ sequence, hash }: AuditHead): string =>
    createHmac('sha256', secret).update(`${sequence}\n${hash}`).digest('hex');
  return {
    seal: ({ sequence, hash }) => ({
      sequence,
      hash,
      serverKeyVersion: serverKey.version,
      seal: sealOf({ sequence, hash }),
    }),
    check(head) {
      if (head.seal === null || head.serverKeyVersion === null) {
        return head.sequence === 0 ? 'valid' : 'invalid';
      }
      if (head.serverKeyVersion < serverKey.version) return 'other_key';
      const expected = Buffer.from(sealOf(head));
      const given = Buffer.from(head.seal);
      return expected.length === given.length && timingSafeEqual(expected, given)
        ? 'valid'
        : 'invalid';
    },
  };
}
