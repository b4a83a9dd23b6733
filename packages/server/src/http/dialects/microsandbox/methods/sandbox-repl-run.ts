import {
  type ErrorCode,
  type KernelLanguage,
  type KernelOutcome,
  requireName,
  SandgateError,
} from '@sandgate/core';
import { z } from 'zod';
import {
  namespaceName,
  type RpcMethod,
  requiredString,
  requireWorkspace,
  selectNamespace,
  timeoutSeconds,
} from '../rpc-method.ts';

const languages: Readonly<Record<string, KernelLanguage>> = {
  python: 'python',
  node: 'node',
  nodejs: 'node',
  javascript: 'node',
};

const paramsSchema = z.strictObject({
  sandbox: requiredString,
  namespace: namespaceName,
  language: requiredString,
  code: requiredString,
  timeout: timeoutSeconds,
});

type Params = z.infer<typeof paramsSchema>;

/** Runs code in the sandbox's kernel of that language, which keeps its variables between runs. */
export const sandboxReplRun: RpcMethod<Params> = {
  scope: 'sandbox:exec',
  safe: false,
  params: paramsSchema,
  workspace: ({ sandbox, namespace }) => {
    requireName('Sandbox name', sandbox);
    return selectNamespace(namespace);
  },
  async run(params, context) {
    const output = context.newOutput();
    const workspace = requireWorkspace(context);
    const { id: sandboxId } = await context.sandboxes.find(workspace, params.sandbox);
    const outcome = await context.sandboxes.runCode(
      workspace,
      params.sandbox,
      requireLanguage(params.language),
      {
        code: params.code,
        signal: context.signal,
        onOutput: output.push,
        ...(context.onResult ? { onResult: context.onResult } : {}),
        ...(params.timeout ? { timeoutMs: params.timeout * 1_000 } : {}),
      },
    );
    const notice = noticeOf(outcome, params);
    if (notice !== null) await output.push({ stream: 'stderr', data: Buffer.from(`${notice}\n`) });
    const failure = failureOf(outcome, params);
    if (failure !== null) {
      const { code, message } = failure;
      throw new SandgateError(code, message, { data: { output: output.finish() } });
    }
    const { language } = params;
    return { sandboxId, result: { status: statusOf(outcome), language, output: output.finish() } };
  },
};

function requireLanguage(text: string): KernelLanguage {
  const language = Object.hasOwn(languages, text.toLowerCase())
    ? languages[text.toLowerCase()]
    : undefined;
  if (language !== undefined) return language;
  throw new SandgateError(
    'language_unsupported',
    `Language '${text.slice(0, 64)}' is not supported. Use one of: ${Object.keys(languages).join(', ')}`,
  );
}

/** Clients take `error` for a run that raised. */
function statusOf(outcome: KernelOutcome): 'success' | 'error' {
  if (outcome.kind === 'completed') return 'success';
  return outcome.kind === 'exited' && outcome.exitCode === 0 ? 'success' : 'error';
}

function noticeOf(outcome: KernelOutcome, { language }: Params): string | null {
  if (outcome.kind !== 'exited' || outcome.exitCode === 0) return null;
  return `The ${language} interpreter ended with exit code ${outcome.exitCode}. The next run starts a new one, without this one's variables`;
}

function failureOf(
  outcome: KernelOutcome,
  { sandbox, timeout }: Params,
): { readonly code: ErrorCode; readonly message: string } | null {
  switch (outcome.kind) {
    case 'timed_out':
      return {
        code: 'exec_timed_out',
        message: `Execution timed out after ${timeout} seconds. ${
          outcome.stateLost
            ? 'It could not be interrupted, so the interpreter was restarted and its variables are lost'
            : 'It was interrupted, and its variables are kept'
        }`,
      };
    case 'aborted':
    case 'sandbox_ended':
      return {
        code: 'sandbox_ended',
        message: `Sandbox '${sandbox}' ended while the code ran`,
      };
    default:
      return null;
  }
}
