import { allowListProblem, scopes } from '@sandgate/core';
import { z } from 'zod';
import {
  duration,
  heldKey,
  holdsNoKey,
  jsonText,
  nullableTime,
  time,
  workspaceName,
} from '../shared-schemas.ts';
import { restrictions } from './restriction-fields.ts';

const maxMetadataBytes = 4_096;
const maxLimit = 1_000_000;

const name = z.string().trim().min(1).max(100).refine(holdsNoKey, heldKey);
const description = z.string().max(1_000).refine(holdsNoKey, heldKey);
export const grantedScope = z.enum([...scopes, '*']);

const expiresAt = z.iso
  .datetime({ offset: true, error: 'is not a time, as in 2027-01-31T12:00:00Z' })
  .transform((text) => Date.parse(text))
  .nullable();

const address = z
  .string()
  .max(64)
  .superRefine((text, context) => {
    const problem = allowListProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

const limit = z.int().min(1).max(maxLimit).nullable();

/** Null: unlimited. */
const limits = z.strictObject({ minute: limit, hour: limit, day: limit, quota_24h: limit });

function fitsMetadata(value: unknown): boolean {
  const text = jsonText(value);
  return text !== '' && Buffer.byteLength(text) <= maxMetadataBytes;
}

const metadata = z
  .record(z.string().max(100), z.unknown())
  .refine(fitsMetadata, { error: `is longer than ${maxMetadataBytes} bytes of JSON` })
  .refine(holdsNoKey, heldKey);

const additions = {
  scopes: z.array(grantedScope).min(1).max(scopes.length).optional(),
  expires_at: expiresAt.optional(),
  expires_in: duration.optional(),
  ip_allow_list: z.array(address).max(100).optional(),
  limits: limits.partial().optional(),
  restrictions: restrictions.optional(),
  metadata: metadata.optional(),
};

const oneExpiry = (value: { expires_at?: unknown; expires_in?: unknown }): boolean =>
  value.expires_at === undefined || value.expires_in === undefined;
const twoExpiries = { error: 'give expires_at or expires_in, not both' };

export const createKeyBody = z
  .strictObject({
    name,
    description: description
      .nullable()
      .default('')
      .transform((text) => text ?? ''),
    workspace: workspaceName.optional(),
    ...additions,
  })
  .refine(oneExpiry, twoExpiries);

export const updateKeyBody = z
  .strictObject({
    name: name.optional(),
    description: description.optional(),
    is_active: z.boolean().optional(),
    ...additions,
  })
  .refine(oneExpiry, twoExpiries);

export const rotateKeyBody = z
  .strictObject({
    overlap: z
      .union([z.literal('0').transform(() => 0), duration])
      .optional()
      .meta({ description: 'How long the old text stays valid. It goes at once without it' }),
  })
  .optional();

/** A key's number, or its 24-hex id. */
export const keyParams = z.strictObject({ id: z.string() });

export const keyItem = z
  .strictObject({
    id: z.int(),
    name: z.string(),
    description: z.string(),
    is_active: z.boolean(),
    created_at: time,
    last_used: nullableTime,
    usage_count: z.int(),
    uid: z.string().meta({ description: '24 hex digits. Works wherever the id does' }),
    state: z.enum(['active', 'disabled', 'expired', 'revoked']),
    prefix: z.string(),
    last_four: z.string(),
    workspace: z.string().meta({ description: 'Slug, or * for every workspace' }),
    parent_id: z.int().nullable(),
    scopes: z.array(grantedScope),
    expires_at: nullableTime,
    ip_allow_list: z.array(z.string()),
    limits: limits.meta({ description: 'In force: its own, else those of its plan' }),
    restrictions,
    metadata: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'ApiKey' });

/** The only answers that hold the text of a key. */
export const keyWithText = keyItem.extend({ key: z.string() }).meta({ id: 'ApiKeyWithText' });

export const keyPage = z.strictObject({
  api_keys: z.array(keyItem),
  total: z.int(),
  page: z.int(),
  size: z.int(),
  next_cursor: z.int().nullable(),
});

export const message = z.strictObject({ message: z.string() });
