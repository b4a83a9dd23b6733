import { type ExecOutcome, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { answerCollected } from '../../../answer-collected.ts';
import { givenFields } from '../../../given-fields.ts';
import { readBody } from '../../../read-body.ts';
import { readFields } from '../read-fields.ts';
import type { SandboxAction } from './sandbox-action.ts';

const maxBodyBytes = 1024 * 1024;
const longestMs = 86_400_000;
/** As timeout(1) has it: the exit code of what was ended by its timeout. */
const timedOutCode = 124;

/** The documented commands are for bash; an image may have none. */
const shell =
  'if command -v bash >/dev/null 2>&1; then exec bash -c "$1"; else exec sh -c "$1"; fi';

const execBody = z.object({
  command: z
    .string()
    .min(1)
    .refine((text) => !text.includes('\0'), 'must not contain NUL'),
  cwd: z.string().min(1).max(4_096).nullish(),
  env: z.record(z.string(), z.string()).nullish(),
  timeoutMs: z.int().min(1).max(longestMs).nullish(),
});

export const execAction: SandboxAction = {
  method: 'POST',
  path: '/modbox/api/exec',
  scope: 'sandbox:exec',
  async run({ request, sandbox, workspace, sandboxes, signal, held, pace }) {
    const { command, cwd, env, timeoutMs } = readFields(
      execBody,
      await readJsonOf(request),
      'body',
    );
    const beganMs = performance.now();
    return await answerCollected(
      { access: { workspace }, held, pace },
      async ({ output, fields }) => {
        const outcome = await sandboxes.exec(workspace, sandbox.id, {
          argv: ['/bin/sh', '-c', shell, 'sh', command],
          signal,
          onOutput: output.push,
          ...givenFields({
            cwd: cwd ?? undefined,
            environment: env ?? undefined,
            timeoutMs: timeoutMs ?? undefined,
          }),
        });
        const exitCode = exitCodeOf(outcome);
        const { stdout, stderr, stdout_truncated, stderr_truncated } = fields('text');
        return {
          exitCode,
          stdout,
          stderr,
          durationMs: Math.round(performance.now() - beganMs),
          timedOut: outcome.kind === 'timed_out',
          truncated: stdout_truncated || stderr_truncated,
        };
      },
    );
  },
};

/** @throws SandgateError `unsupported_media_type`, `invalid_request`, `payload_too_large` */
async function readJsonOf(request: Request): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new SandgateError(
      'unsupported_media_type',
      'Send JSON, with Content-Type: application/json',
    );
  }
  const text = await readBody(request, maxBodyBytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new SandgateError('invalid_request', 'the body: is not JSON');
  }
}

/** @throws SandgateError `request_abandoned`, `sandbox_ended` */
function exitCodeOf(outcome: ExecOutcome): number {
  switch (outcome.kind) {
    case 'exited':
      return outcome.exitCode;
    case 'timed_out':
      return timedOutCode;
    case 'aborted':
      throw new SandgateError('request_abandoned', 'The client went away, and its command ended');
    case 'sandbox_ended':
      throw new SandgateError('sandbox_ended', 'The sandbox ended while the command ran');
  }
}
