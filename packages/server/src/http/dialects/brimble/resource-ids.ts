import { SandgateError } from '@sandgate/core';
import { z } from 'zod';

const idForm = /^[0-9a-f]{24}$/;

/** What the names of ids in paths stand for. */
const things: Readonly<Record<string, string>> = {
  sandboxId: 'sandbox',
  snapshotId: 'snapshot',
  volumeId: 'volume',
};

/** @throws SandgateError `invalid_request`, as in `Invalid sandbox id` */
export function requireIds(params: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(params)) {
    if (idForm.test(value)) continue;
    throw new SandgateError('invalid_request', `Invalid ${things[name] ?? name} id`);
  }
}

export const resourceId = z
  .string()
  .regex(idForm, { error: 'must be an id of 24 lowercase hex digits' });

/** A field that may be left out. Clients send null for what was not given. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);

/** The workspace that a request is about. */
export const teamId = optional(resourceId);
