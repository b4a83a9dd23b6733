import { z } from 'zod';
import { environment } from '../sandboxes/sandbox-schemas.ts';

const maxArguments = 1_000;

const command = z
  .union([z.string().min(1), z.array(z.string()).min(1).max(maxArguments)])
  .meta({ description: "A line for the sandbox's shell, or a program with its arguments" });

export const encoding = z
  .enum(['text', 'base64'])
  .default('text')
  .meta({ description: 'How bytes are written. As text, what is not UTF-8 becomes U+FFFD' });

export const commandFields = {
  command,
  cwd: z.string().optional(),
  env: environment.optional(),
};

export const timeoutSeconds = z.number().positive().max(86_400);

export const toTimeoutMs = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.ceil(seconds * 1_000);

/** The program that a command is, with its arguments. */
export const argvOf = (command: string | readonly string[], shell: string): readonly string[] =>
  typeof command === 'string' ? [shell, '-c', command] : command;

export const outputFields = {
  stdout: z.string(),
  stderr: z.string(),
  stdout_truncated: z.boolean().meta({ description: 'There was more, which was dropped' }),
  stderr_truncated: z.boolean(),
};

/** The longest body of a command or of code. */
export const maxCodeBytes = 2 * 1_024 * 1_024;
