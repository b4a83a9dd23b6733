import { SandgateError } from '../error/sandgate-error.ts';
import type { ExecOutcome, RunningProcess } from '../port/engine.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type {
  BackgroundProcess,
  ProcessCommand,
  ProcessEnd,
  ProcessOutput,
  ProcessOutputRequest,
  ProcessRequest,
} from './background-process.ts';
import { ProcessInput } from './process-input.ts';
import { OutputRing } from './process-output.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandboxes } from './sandboxes.ts';
import { findRunning } from './use-sandbox.ts';

interface Entry {
  readonly id: string;
  readonly sandboxId: string;
  readonly workspaceId: string;
  readonly command: ProcessCommand;
  readonly cwd: string | null;
  readonly startedAtMs: number;
  readonly output: OutputRing;
  readonly input: ProcessInput | null;
  readonly readers: Set<() => void>;
  running: RunningProcess | null;
  ended: { readonly atMs: number; readonly end: ProcessEnd } | null;
}

type ProcessMethods = Pick<
  Sandboxes,
  | 'startProcess'
  | 'listProcesses'
  | 'findProcess'
  | 'processOutput'
  | 'writeProcessInput'
  | 'signalProcess'
  | 'waitForProcess'
  | 'deleteProcess'
>;

export interface BackgroundProcesses extends ProcessMethods {
  /** The sandbox runs no more, and nothing in it. */
  lose(sandboxId: string): void;
  /** Forgets everything. */
  close(): void;
}

export function createBackgroundProcesses(parts: SandboxParts): BackgroundProcesses {
  const { clock, policy } = parts;
  const bySandbox = new Map<string, Map<string, Entry>>();
  const cancels = new Map<string, () => void>();

  const forget = (entry: Entry): void => {
    const entries = bySandbox.get(entry.sandboxId);
    entries?.delete(entry.id);
    if (entries?.size === 0) bySandbox.delete(entry.sandboxId);
    cancels.get(entry.id)?.();
    cancels.delete(entry.id);
  };

  const finish = (entry: Entry, end: ProcessEnd): void => {
    if (entry.ended !== null) return;
    entry.ended = { atMs: clock.nowMs(), end };
    entry.input?.abandon();
    for (const wake of entry.readers) wake();
    parts.events.publish(entry.workspaceId, {
      kind: 'process.ended',
      sandboxId: entry.sandboxId,
      processId: entry.id,
      exitCode: end.kind === 'exited' ? end.exitCode : null,
    });
    cancels.set(
      entry.id,
      parts.timers.after(policy.processes.keptMs, () => forget(entry)),
    );
  };

  const enter = (entry: Entry): void => {
    const entries = bySandbox.get(entry.sandboxId) ?? new Map<string, Entry>();
    const alive = [...entries.values()].filter(({ ended }) => ended === null);
    const { perSandbox } = policy.processes;
    if (alive.length >= perSandbox) {
      throw new SandgateError(
        'quota_exceeded',
        `This sandbox runs ${perSandbox} background processes, which is the most. End one first`,
        { data: { resource: 'processes', allowed: perSandbox } },
      );
    }
    // As many ended ones are kept as may run, the newest of them.
    const over = [...entries.values()].filter(({ ended }) => ended !== null);
    for (const old of over.slice(0, Math.max(0, over.length + 1 - perSandbox))) forget(old);
    entries.set(entry.id, entry);
    bySandbox.set(entry.sandboxId, entries);
  };

  const look = async (
    workspace: Workspace,
    reference: string,
    processId: string,
  ): Promise<Entry> => {
    const sandbox = await parts.records.find(workspace, reference);
    const entry = bySandbox.get(sandbox.id)?.get(processId);
    if (entry !== undefined) return entry;
    throw new SandgateError(
      'process_not_found',
      `There is no process '${processId}' in sandbox '${sandbox.name}', or it ended too long ago`,
    );
  };

  /** Runs beside everything else. Resolves when the program has started, or could not. */
  const launch = async (
    entry: Entry,
    run: (onStarted: (process: RunningProcess) => void) => Promise<ExecOutcome>,
  ): Promise<void> =>
    await new Promise((resolve, reject) => {
      run((process) => {
        entry.running = process;
        resolve();
      }).then(
        (outcome) => {
          const { kind } = outcome;
          finish(entry, kind === 'exited' ? outcome : { kind: 'lost' });
          resolve();
        },
        (error: unknown) => {
          if (entry.running === null) {
            entry.input?.abandon();
            forget(entry);
            reject(error);
            return;
          }
          const reason = error instanceof SandgateError ? error.message : 'The engine failed';
          finish(entry, { kind: 'failed', reason });
        },
      );
    });

  async function* readOutput(
    workspace: Workspace,
    reference: string,
    processId: string,
    { fromByte = 0, follow = false, signal }: ProcessOutputRequest,
  ): AsyncGenerator<ProcessOutput> {
    const entry = await look(workspace, reference, processId);
    let at = fromByte;
    let wake: () => void = () => undefined;
    const waker = () => wake();
    entry.readers.add(waker);
    signal?.addEventListener('abort', waker);
    try {
      while (signal?.aborted !== true) {
        const piece = entry.output.read(at);
        if (piece !== null) {
          at = piece.fromByte + piece.data.byteLength;
          yield piece;
          continue;
        }
        if (!follow || entry.ended !== null) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      entry.readers.delete(waker);
      signal?.removeEventListener('abort', waker);
    }
  }

  return {
    async startProcess(workspace, reference, request) {
      requireCommand(request);
      const { sandbox, running } = await findRunning(parts, workspace, reference);
      const entry: Entry = {
        id: newResourceId(clock, parts.randomness),
        sandboxId: sandbox.id,
        workspaceId: workspace.id,
        command: request.command,
        cwd: request.cwd ?? null,
        startedAtMs: clock.nowMs(),
        output: new OutputRing(policy.processes.outputBytes),
        input: request.stdin === true ? new ProcessInput() : null,
        readers: new Set(),
        running: null,
        ended: null,
      };
      enter(entry);
      parts.activity.touch(sandbox.id);
      await launch(entry, (onStarted) =>
        running.exec({
          argv: argvOf(request.command, sandbox.definition.shell),
          ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
          ...(request.environment === undefined ? {} : { environment: request.environment }),
          ...(entry.input === null ? {} : { stdin: entry.input }),
          onStarted,
          onOutput({ stream, data }) {
            entry.output.append(stream, data);
            for (const wake of entry.readers) wake();
          },
        }),
      );
      return viewOf(entry);
    },
    async listProcesses(workspace, reference) {
      const { id } = await parts.records.find(workspace, reference);
      return [...(bySandbox.get(id)?.values() ?? [])].map(viewOf);
    },
    async findProcess(workspace, reference, processId) {
      return viewOf(await look(workspace, reference, processId));
    },
    processOutput: readOutput,
    async writeProcessInput(workspace, reference, processId, data, { end = false } = {}) {
      const entry = await look(workspace, reference, processId);
      if (entry.input === null) {
        throw new SandgateError(
          'invalid_request',
          'This process has no standard input. Start it with stdin',
        );
      }
      parts.activity.touch(entry.sandboxId);
      const written = data.byteLength === 0 ? Promise.resolve() : entry.input.write(data);
      if (end) entry.input.end();
      await written;
    },
    async signalProcess(workspace, reference, processId, signal) {
      const entry = await look(workspace, reference, processId);
      if (entry.ended === null) entry.running?.signal(signal);
      return viewOf(entry);
    },
    async waitForProcess(workspace, reference, processId, { timeoutMs, signal }) {
      const entry = await look(workspace, reference, processId);
      if (entry.ended === null && signal?.aborted !== true) {
        await new Promise<void>((resolve) => {
          const done = () => {
            cancel();
            entry.readers.delete(onWake);
            signal?.removeEventListener('abort', done);
            resolve();
          };
          const onWake = () => {
            if (entry.ended !== null) done();
          };
          const cancel = parts.timers.after(timeoutMs, done);
          entry.readers.add(onWake);
          signal?.addEventListener('abort', done);
        });
      }
      return viewOf(entry);
    },
    async deleteProcess(workspace, reference, processId) {
      const entry = await look(workspace, reference, processId);
      if (entry.ended === null) entry.running?.signal('SIGKILL');
      entry.input?.abandon();
      forget(entry);
      return viewOf(entry);
    },
    lose(sandboxId) {
      for (const entry of bySandbox.get(sandboxId)?.values() ?? []) finish(entry, { kind: 'lost' });
    },
    close() {
      for (const cancel of cancels.values()) cancel();
      cancels.clear();
      bySandbox.clear();
    },
  };
}

const argvOf = (command: ProcessCommand, shell: string): readonly string[] =>
  'argv' in command ? command.argv : [shell, '-c', command.line];

function requireCommand({ command }: ProcessRequest): void {
  const words = 'argv' in command ? command.argv : [command.line];
  if (words.length > 0 && words[0] !== '' && !words.some((word) => word.includes('\0'))) return;
  throw new SandgateError('invalid_request', 'The command is empty, or contains a NUL character');
}

const viewOf = (entry: Entry): BackgroundProcess => ({
  id: entry.id,
  sandboxId: entry.sandboxId,
  command: entry.command,
  cwd: entry.cwd,
  startedAtMs: entry.startedAtMs,
  endedAtMs: entry.ended?.atMs ?? null,
  end: entry.ended?.end ?? null,
  stdin: entry.input?.isOpen === true ? 'open' : 'closed',
  outputFromByte: entry.output.fromByte,
  outputToByte: entry.output.toByte,
});
