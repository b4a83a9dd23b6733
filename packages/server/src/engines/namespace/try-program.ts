import type { EngineSandboxSpec } from '@sandgate/core';
import { startAgentJob } from './exec/agent-job.ts';
import { runExec } from './exec/run-exec.ts';
import { type LaunchContext, launchSandbox } from './launch-sandbox.ts';
import type { SandboxProcess } from './sandbox-process.ts';
import type { HostInterpreter, Template } from './template/template.ts';

const maxFailureText = 500;

/** Runs a program in a sandbox of its own; null when it ends with 0, else what went wrong. */
export function tryProgram(
  context: LaunchContext,
  interpreters: readonly HostInterpreter[],
  id: string,
  argv: readonly string[],
  {
    environment = {},
    onOutput,
  }: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly onOutput?: (text: string) => void;
  } = {},
): Promise<string | null> {
  return tryInSandbox(context, interpreters, id, async (process) => {
    const job = await startAgentJob(process, 1, {
      argv,
      cwd: '/',
      environment,
      stdin: false,
      control: false,
      startDeadlineMs: 20_000,
    });
    let text = '';
    const outcome = await runExec(
      job,
      {
        argv,
        timeoutMs: 20_000,
        onOutput: ({ data }) => {
          const piece = data.toString('utf8');
          onOutput?.(piece);
          text = (text + piece).slice(0, maxFailureText);
        },
      },
      async () => !process.running,
    );
    if (outcome.kind === 'exited' && outcome.exitCode === 0) return null;
    return `${argv[0]} ended with ${JSON.stringify(outcome)}: ${text}`;
  });
}

/** Does something with a sandbox of its own; null when it went well, else what went wrong. */
export async function tryInSandbox(
  context: LaunchContext,
  interpreters: readonly HostInterpreter[],
  id: string,
  attempt: (process: SandboxProcess) => Promise<string | null>,
): Promise<string | null> {
  const spec: EngineSandboxSpec = {
    id,
    hostname: 'probe',
    image: 'probe',
    resources: { memoryMib: 512, cpus: 1, diskMib: 16, maxProcesses: 64 },
    environment: {},
    workdir: '/',
    mounts: [],
    scripts: {},
  };
  const template: Template = {
    name: 'probe',
    description: 'probe',
    languages: [],
    steps: interpreters.flatMap((interpreter) => interpreter.steps),
  };
  try {
    const launched = await launchSandbox(context, spec, template);
    try {
      await launched.process.ready;
      return await attempt(launched.process);
    } finally {
      launched.process.kill();
      await launched.process.ended;
      await launched.release();
    }
  } catch (cause) {
    if (!(cause instanceof Error)) return String(cause);
    const detail = 'detail' in cause && typeof cause.detail === 'string' ? cause.detail : null;
    return detail ?? cause.message;
  }
}
