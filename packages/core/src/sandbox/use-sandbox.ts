import { SandgateError } from '../error/sandgate-error.ts';
import type { EngineSandbox } from '../port/engine.ts';
import type { SandboxFiles } from '../port/engine-files.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Sandbox, SandboxState } from './sandbox.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandboxes } from './sandboxes.ts';

export function notRunning({ name, state }: Pick<Sandbox, 'name' | 'state'>): SandgateError {
  return new SandgateError(
    'sandbox_not_running',
    state === 'starting' || state === 'stopping'
      ? `Sandbox '${name}' is ${state}. Wait until it is ready`
      : `Sandbox '${name}' is not running. Start it with sandbox.start`,
    { data: { state } },
  );
}

const heldStates: ReadonlySet<SandboxState> = new Set(['pausing', 'paused', 'resuming']);

/**
 * A sandbox that takes calls.
 * @throws SandgateError `sandbox_not_found`, `sandbox_not_running`, `sandbox_paused`
 */
export async function findRunning(
  { records, live }: Pick<SandboxParts, 'records' | 'live'>,
  workspace: Workspace,
  reference: string,
): Promise<{ readonly sandbox: Sandbox; readonly running: EngineSandbox }> {
  const sandbox = await records.find(workspace, reference);
  const running = live.get(sandbox.id);
  if (running === undefined) throw notRunning(sandbox);
  if (heldStates.has(sandbox.state)) {
    throw new SandgateError(
      'sandbox_paused',
      `Sandbox '${sandbox.name}' is ${sandbox.state}. Resume it first`,
      { data: { state: sandbox.state } },
    );
  }
  return { sandbox, running };
}

const missing = (what: string): SandgateError =>
  new SandgateError(
    'capability_missing',
    `The engine of this sandbox has no ${what}. Run msb doctor to see what this machine can do`,
  );

/** Work in running sandboxes, which keeps them from being idle. */
export function createUse(
  parts: SandboxParts,
): Pick<Sandboxes, 'exec' | 'runCode' | 'files' | 'openTerminal' | 'dial'> {
  const { activity } = parts;
  return {
    async exec(workspace, reference, request) {
      const { sandbox, running } = await findRunning(parts, workspace, reference);
      return await activity.during(sandbox.id, () => running.exec(request));
    },
    async runCode(workspace, reference, language, request) {
      const { sandbox, running } = await findRunning(parts, workspace, reference);
      return await activity.during(sandbox.id, () => running.kernel(language).run(request));
    },
    async files(workspace, reference) {
      const { sandbox, running } = await findRunning(parts, workspace, reference);
      if (running.files === undefined) throw missing('access to files');
      return busyFiles(running.files, (work) => activity.during(sandbox.id, work));
    },
    async openTerminal(workspace, reference, request) {
      const { sandbox, running } = await findRunning(parts, workspace, reference);
      if (running.openTerminal === undefined) throw missing('terminals');
      activity.touch(sandbox.id);
      const terminal = await running.openTerminal(request);
      return {
        exited: terminal.exited,
        signal: (signal) => terminal.signal(signal),
        resize: (columns, rows) => terminal.resize(columns, rows),
        // A terminal that nobody types in does not keep its sandbox.
        write(data) {
          activity.touch(sandbox.id);
          return terminal.write(data);
        },
      };
    },
    async dial(workspace, reference, port) {
      const { sandbox, running } = await findRunning(parts, workspace, reference);
      if (running.dial === undefined) throw missing('ports');
      if (!Number.isInteger(port) || port < 1 || port > 65_535) {
        throw new SandgateError('invalid_request', 'port must be a whole number from 1 to 65535');
      }
      const end = activity.begin(sandbox.id);
      try {
        const connection = await running.dial(port);
        connection.once('close', end);
        return connection;
      } catch (error) {
        end();
        throw error;
      }
    },
  };
}

type During = <Result>(work: () => Promise<Result>) => Promise<Result>;

const busyFiles = (files: SandboxFiles, during: During): SandboxFiles => ({
  stat: (path) => during(() => files.stat(path)),
  list: (path, options) => during(() => files.list(path, options)),
  makeDirectory: (path, options) => during(() => files.makeDirectory(path, options)),
  move: (from, to) => during(() => files.move(from, to)),
  remove: (path, options) => during(() => files.remove(path, options)),
  read: (request) => during(() => files.read(request)),
  write: (request) => during(() => files.write(request)),
  pack: (request) => during(() => files.pack(request)),
  unpack: (request) => during(() => files.unpack(request)),
  // Whoever watches waits for others to do something.
  watch: (request) => files.watch(request),
});
