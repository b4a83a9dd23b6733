import { z } from 'zod';
import { optional } from '../resource-ids.ts';

const noNul = { error: 'must not contain a NUL character' };

/** How a command runs, whatever it is. */
export const commandFields = {
  timeout_seconds: optional(z.int().min(1).max(300)),
  cwd: optional(
    z.string().regex(/^\/[^\0]*$/, { error: 'must be an absolute path in the sandbox' }),
  ),
  env: optional(
    z.record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
        error: 'is not a name for an environment variable',
      }),
      z.string().regex(/^[^\0]*$/, noNul),
    ),
  ),
  stream: optional(z.boolean()),
};

export const commandText = z
  .string()
  .min(1, { error: 'must not be empty' })
  .regex(/^[^\0]*$/, noNul);

/** Room for a program's text. */
export const maxCommandBytes = 4 * 1_024 * 1_024;

const defaultTimeoutSeconds = 30;

/** The fields as a command has them. */
export const toCommand = (
  body: z.output<z.ZodObject<typeof commandFields>>,
): {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
} => ({
  cwd: body.cwd ?? '/',
  environment: body.env ?? {},
  timeoutSeconds: body.timeout_seconds ?? defaultTimeoutSeconds,
});
