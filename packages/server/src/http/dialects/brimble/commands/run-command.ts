import { type ExecOutcome, type ExecRequest, SandgateError } from '@sandgate/core';
import { releasingBody } from '../../../releasing-body.ts';
import type { BrimbleAnswer, BrimbleContext } from '../brimble-route.ts';
import { envelope } from '../envelope.ts';
import { brimbleMessage } from '../error-response.ts';
import { CommandOutput, maxOutputBytes } from './command-output.ts';
import { createEventStream } from './event-stream.ts';
import { StreamText } from './event-text.ts';

export interface Command extends Pick<ExecRequest, 'argv' | 'stdin' | 'cwd' | 'environment'> {
  readonly sandboxId: string;
  readonly timeoutSeconds: number;
  /** Called when it was killed before its end. Never rejects. */
  readonly onKilled?: () => Promise<void>;
}

export const commandMessage = 'Exec completed';

/** As `timeout` of the GNU coreutils exits. */
const timedOutExitCode = 124;
/** What is shorter has left before it is worth counting. */
const shortAnswerBytes = 65_536;

/** Runs a command, and answers with all of its output at its end. */
export async function runBuffered(
  command: Command,
  context: BrimbleContext,
): Promise<BrimbleAnswer> {
  const allowance = context.held.open(maxOutputBytes, context.workspace.id);
  try {
    const output = new CommandOutput(allowance, context.pace);
    const startedMs = performance.now();
    const outcome = await execute(command, context, {
      signal: context.signal,
      onOutput: output.push,
    });
    const exitCode = exitCodeOf(outcome);
    const { stdout, stderr, isCut } = output.finish();
    const note = outcome.kind === 'timed_out' ? timeoutNote(command) : '';
    const data = {
      stdout,
      stderr: stderr + note,
      exit_code: exitCode,
      duration_ms: elapsedMs(startedMs),
      ...(isCut ? { truncated: true } : {}),
    };
    if (allowance.takenBytes <= shortAnswerBytes) {
      allowance.release();
      return { data };
    }
    const body = releasingBody(envelope(commandMessage, data), allowance.release);
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
    return { response: new Response(body, { headers }) };
  } catch (error) {
    allowance.release();
    throw error;
  }
}

/**
 * Runs a command, and sends what it writes as it is written. It is held back when the client reads more
 * slowly, and ended when the client goes away.
 */
export async function runStreamed(
  command: Command,
  context: BrimbleContext,
): Promise<BrimbleAnswer> {
  const gone = new AbortController();
  const signal = AbortSignal.any([context.signal, gone.signal]);
  const { userAgent, respond } = context;
  const texts = { stdout: new StreamText(), stderr: new StreamText() };
  const startedMs = performance.now();
  // Before the program runs, a failure is an answer like any other.
  let stream: ReturnType<typeof createEventStream> | null = null;
  const open = () => {
    if (stream !== null) return stream;
    stream = createEventStream({ userAgent, onGone: () => gone.abort() });
    respond(stream.response);
    return stream;
  };
  try {
    const outcome = await execute(command, context, {
      signal,
      onStarted: () => void open(),
      async onOutput({ stream: name, data }) {
        for (const text of texts[name].push(data)) await open().send({ type: name, data: text });
      },
    });
    const exitCode = exitCodeOf(outcome);
    const events = open();
    for (const name of ['stdout', 'stderr'] as const) {
      for (const text of texts[name].flush()) await events.send({ type: name, data: text });
    }
    if (outcome.kind === 'timed_out') {
      await events.send({ type: 'stderr', data: timeoutNote(command) });
    }
    const durationMs = elapsedMs(startedMs);
    await events.send({ type: 'done', exit_code: exitCode, duration_ms: durationMs });
    events.close();
    return { response: null };
  } catch (error) {
    if (stream === null) throw error;
    const message =
      error instanceof SandgateError ? brimbleMessage(error) : 'Internal server error';
    await open().send({ type: 'error', message });
    open().close();
    // For the usage row.
    throw error;
  }
}

async function execute(
  { sandboxId, timeoutSeconds, onKilled, ...program }: Command,
  { sandboxes, workspace }: BrimbleContext,
  watching: Pick<ExecRequest, 'signal' | 'onOutput' | 'onStarted'>,
): Promise<ExecOutcome> {
  const outcome = await sandboxes.exec(workspace, sandboxId, {
    ...program,
    timeoutMs: timeoutSeconds * 1_000,
    ...watching,
  });
  if (outcome.kind !== 'exited') await onKilled?.();
  return outcome;
}

const timeoutNote = ({ timeoutSeconds }: Command): string =>
  `\n[killed: the time limit of ${timeoutSeconds} seconds was reached]\n`;

const elapsedMs = (sinceMs: number): number => Math.round(performance.now() - sinceMs);

/** @throws SandgateError `sandbox_ended`, `request_abandoned` */
function exitCodeOf(outcome: ExecOutcome): number {
  switch (outcome.kind) {
    case 'exited':
      return outcome.exitCode;
    case 'timed_out':
      return timedOutExitCode;
    case 'aborted':
      throw new SandgateError('request_abandoned', 'The client went away while the command ran');
    case 'sandbox_ended':
      throw new SandgateError('sandbox_ended', 'Sandbox ended while the command ran');
  }
}
