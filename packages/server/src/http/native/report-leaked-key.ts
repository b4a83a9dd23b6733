import { setTimeout as pause } from 'node:timers/promises';
import { auditKeyChange, digestKeyText, keyPattern, revokeKey, tooMany } from '@sandgate/core';
import { z } from 'zod';
import { definePublicRoute, type PublicContext } from './route.ts';

/**
 * No answer comes sooner. Well above what a revocation takes on a slow disk, so that the time of an
 * answer does not tell whether there was anything to revoke.
 */
const answerAfterMs = 150;

export const reportLeakedKeyRoute = definePublicRoute({
  operationId: 'reportLeakedKey',
  method: 'post',
  path: '/api/v1/leaked-keys',
  tag: 'Leaked keys',
  summary: 'Report an API key that was found where it does not belong',
  description:
    'A real key is revoked before the answer comes. The answer is always the same, and empty.',
  body: z.strictObject({ key: z.string().min(1).max(200) }),
  answer: z.undefined(),
  status: 204,
  errors: ['rate_limited'],
  async run({ body }, context) {
    requireBudget(context);
    const [outcome] = await Promise.allSettled([
      revokeReported(body.key, context),
      pause(answerAfterMs),
    ]);
    if (outcome.status === 'rejected') throw outcome.reason;
    return undefined;
  },
});

/** @throws SandgateError `rate_limited` */
function requireBudget({ reports, address, clock }: PublicContext): void {
  const retryAfterMs = reports.charge(address, clock.nowMs());
  if (retryAfterMs > 0) throw tooMany('reports from this address', 'reports', retryAfterMs);
}

/**
 * Whoever holds a text that works could use the key, so that any such text is enough to end it. One
 * whose overlap after a rotation has ended works no more, and ends nothing.
 */
async function revokeReported(text: string, context: PublicContext): Promise<void> {
  const { storage, clock, auditLog, address, requestId } = context;
  const candidate = keyPattern.exec(text)?.[0] ?? text;
  const found = await storage.keys.findByDigest(digestKeyText(context.serverKey(), candidate));
  if (found === null) return;
  const { key, secret } = found;
  if (secret.validUntilMs !== null && secret.validUntilMs <= clock.nowMs()) return;
  await auditKeyChange(
    auditLog,
    {
      action: 'key.revoke',
      actor: { kind: 'stranger' },
      address,
      requestId,
      details: { reason: 'reported as leaked' },
    },
    (change) => revokeKey({ ...context, change }, key.id),
  );
}
