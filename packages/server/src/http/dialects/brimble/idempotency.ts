import { createHash } from 'node:crypto';
import { type IdempotencyScope, SandgateError } from '@sandgate/core';
import type { Access } from '../../authorize/authorizer.ts';
import type { BrimbleServices } from './brimble-route.ts';
import { jsonResponse, textResponse } from './envelope.ts';

const keyForm = /^[\x21-\x7e]{1,255}$/;
const keptMs = 24 * 3_600_000;
/** How long a request waits for another one of its key that is being carried out. */
const waitMs = 25_000;
const lookAgainMs = 100;

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
  { storage, clock }: Pick<BrimbleServices, 'storage' | 'clock'>,
  caller: Access['caller'],
  request: IdempotentRequest,
  work: () => Promise<PlainAnswer>,
): Promise<Response> {
  const { key, method, path, signal } = request;
  const owner = caller.kind === 'key' ? `key:${caller.key.number}` : caller.kind;
  const scope: IdempotencyScope = { owner, method, path, key };
  const fingerprint = createHash('sha256').update(JSON.stringify(request.content)).digest('hex');
  const giveUpAtMs = performance.now() + waitMs;
  for (;;) {
    const nowMs = clock.nowMs();
    const claim = await storage.idempotency.begin(scope, {
      ...{ fingerprint, nowMs, expiresAtMs: nowMs + keptMs },
    });
    if (claim.kind === 'begun') break;
    if (claim.fingerprint !== fingerprint) throw otherRequest();
    if (claim.kind === 'done') {
      const { status, body } = claim.answer;
      return toResponse(status, body, { 'Idempotency-Replayed': 'true' });
    }
    if (performance.now() >= giveUpAtMs) throw stillRunning();
    await pause(lookAgainMs, signal);
  }
  let answer: PlainAnswer;
  try {
    answer = await work();
  } catch (error) {
    await storage.idempotency.abandon(scope);
    throw error;
  }
  const body = answer.body === null ? '' : JSON.stringify(answer.body);
  await storage.idempotency.finish(scope, { status: answer.status, headers: {}, body });
  return plainResponse(answer);
}

export const plainResponse = ({ status, body }: PlainAnswer): Response =>
  body === null ? new Response(null, { status }) : jsonResponse(body, status);

const toResponse = (status: number, body: string, headers: Record<string, string>): Response =>
  body === '' ? new Response(null, { status, headers }) : textResponse(body, status, headers);

const otherRequest = (): SandgateError =>
  new SandgateError(
    'idempotency_conflict',
    'This idempotency-key was used for another request. Choose a new one',
  );

const stillRunning = (): SandgateError =>
  new SandgateError(
    'idempotency_conflict',
    'A request with this idempotency-key is still being carried out. Wait for it',
  );

async function pause(waitForMs: number, signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, waitForMs));
  if (!signal.aborted) return;
  throw new SandgateError('request_abandoned', 'The client went away before its call began');
}
