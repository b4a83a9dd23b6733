import { createHash } from 'node:crypto';
import { type IdempotencyScope, SandgateError } from '@sandgate/core';
import type { Access } from '../../authorize/authorizer.ts';
import type { BrimbleContext } from './brimble-route.ts';
import { jsonResponse, textResponse } from './envelope.ts';
import { otherRequest, stillRunning } from './once-only.ts';

const keyForm = /^[\x21-\x7e]{1,255}$/;
const keptMs = 24 * 3_600_000;

export interface IdempotentRequest {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  /** Everything of the request that its answer depends on. */
  readonly content: unknown;
  readonly signal: AbortSignal;
}

/** @throws SandgateError `invalid_request` */
export function requireIdempotencyKey(key: string): string {
  if (keyForm.test(key)) return key;
  throw new SandgateError(
    'invalid_request',
    'idempotency-key: must be 1 to 255 printable ASCII characters',
  );
}

/** What is answered, as far as it is kept. */
export interface PlainAnswer {
  readonly status: number;
  /** Null: no body. */
  readonly body: object | null;
}

/**
 * Carries a request out once, however often it is sent with its key. What failed is forgotten, so that
 * it can be sent again: a 503 must not be the last word on a create.
 * @throws SandgateError `idempotency_conflict`, `request_abandoned`, and what `work` throws
 */
export async function answerOnce(
  { storage, clock, onceOnly }: Pick<BrimbleContext, 'storage' | 'clock' | 'onceOnly'>,
  caller: Access['caller'],
  request: IdempotentRequest,
  work: () => Promise<PlainAnswer>,
): Promise<Response> {
  const { key, method, path, signal } = request;
  const owner = caller.kind === 'key' ? `key:${caller.key.number}` : caller.kind;
  const scope: IdempotencyScope = { owner, method, path, key };
  const fingerprint = createHash('sha256').update(JSON.stringify(request.content)).digest('hex');
  return await onceOnly.inTurn(scope, fingerprint, signal, async () => {
    const { idempotency } = storage;
    const nowMs = clock.nowMs();
    const expiresAtMs = nowMs + keptMs;
    const claim = await idempotency.begin(scope, { fingerprint, nowMs, expiresAtMs });
    if (claim.kind !== 'begun') {
      if (claim.fingerprint !== fingerprint) throw otherRequest();
      if (claim.kind === 'running') throw stillRunning();
      const { status, body } = claim.answer;
      return toResponse(status, body, { 'Idempotency-Replayed': 'true' });
    }
    let answer: PlainAnswer;
    try {
      answer = await work();
    } catch (error) {
      await onceOnly.settle(scope, () => idempotency.abandon(scope));
      throw error;
    }
    const body = answer.body === null ? '' : JSON.stringify(answer.body);
    const stored = { status: answer.status, headers: {}, body };
    await onceOnly.settle(scope, () => idempotency.finish(scope, stored));
    return plainResponse(answer);
  });
}

export const plainResponse = ({ status, body }: PlainAnswer): Response =>
  body === null ? new Response(null, { status }) : jsonResponse(body, status);

const toResponse = (status: number, body: string, headers: Record<string, string>): Response =>
  body === '' ? new Response(null, { status, headers }) : textResponse(body, status, headers);
