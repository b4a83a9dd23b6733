import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineSandboxSpec, SandboxResources } from '@sandgate/core';
import type { TerminalProgram } from '../terminal/terminal-program.ts';
import { agentPrelude } from './agent-prelude.ts';
import { explainShortage } from './descriptor-shortage.ts';
import { guestHome } from './engine-options.ts';
import type { FifoPool } from './exec/fifo-pool.ts';
import type { HostGuard } from './host-guard.ts';
import type { HostIdentities, HostIdentity } from './host-identity.ts';
import type { HostTools } from './host-tools.ts';
import type { LaunchStock } from './launch-stock.ts';
import type { Launcher, MountStep } from './launcher/launcher.ts';
import { type ProcessLimits, ulimitScript } from './limits/process-limits.ts';
import type { ResourceGroup, ResourceLimiter } from './limits/resource-limiter.ts';
import { sandboxSteps } from './mount-plan.ts';
import type { SocketOpener } from './network/socket-opener.ts';
import type { RuntimeDirectory } from './runtime-directory.ts';
import { SandboxProcess, seccompFdOf } from './sandbox-process.ts';
import { processStartTime } from './stale-processes.ts';
import { guestSearchPath, type Template } from './template/template.ts';
import type { UnfinishedWork } from './unfinished-work.ts';
import type { AttachedVolumes } from './volumes/attached-volumes.ts';
import type { VolumeKind } from './volumes/namespace-volumes.ts';

/** What all sandboxes of an engine are started with. */
export interface LaunchContext {
  readonly launcher: Launcher;
  readonly tools: HostTools;
  readonly limiter: ResourceLimiter;
  readonly runtime: RuntimeDirectory;
  readonly fifos: FifoPool;
  readonly identities: HostIdentities;
  readonly guard: HostGuard;
  readonly volumeKind: VolumeKind;
  /** What could not be cleaned up yet. */
  readonly unfinished: UnfinishedWork;
  readonly agentScript: string;
  readonly systemSteps: readonly MountStep[];
  /** The Python kernel is there as bytecode for the interpreter of the templates. */
  readonly kernelsCompiled: boolean;
  /** How terminals are made; null where they cannot be. */
  readonly terminal: TerminalProgram | null;
  /** Descriptors of the server that every child would inherit. */
  readonly strayFds: readonly number[];
  /** Null: sandboxes have no network, and their ports cannot be reached. */
  readonly socketOpener: SocketOpener | null;
  /** File with the system-call filter; null where the launcher cannot use one. */
  readonly seccompFile: string | null;
}

export interface LaunchedSandbox {
  readonly process: SandboxProcess;
  readonly group: ResourceGroup;
  readonly steps: readonly MountStep[];
  /** Removes what is left on the host. To be called after the process has ended. Never rejects. */
  release(): Promise<void>;
}

/** A sandbox without its contents: a shell with its user, in its control groups, that waits. */
export interface PreparedLaunch {
  readonly resources: SandboxResources;
  readonly directory: string;
  readonly process: SandboxProcess;
  readonly seccompFd: number | null;
  readonly group: ResourceGroup;
  /** Removes what is left on the host. To be called after the process has ended. Never rejects. */
  release(directory: string): Promise<void>;
}

const stagingName = 'root';
const ioName = 'io';

/** Does what is the same for all sandboxes with these limits. `name` is unique among those there are. */
export async function prepareLaunch(
  context: LaunchContext,
  name: string,
  resources: SandboxResources,
  uid?: number,
): Promise<PreparedLaunch> {
  const { unfinished, fifos, strayFds } = context;
  void unfinished.retry();
  const made = join(context.runtime.sandboxes, name);
  const identity = context.identities.acquire(uid);
  let group: ResourceGroup | null = null;
  const release = async (directory: string): Promise<void> => {
    const discarded = setAside(directory);
    await unfinished.do(async () => {
      await group?.kill();
      await group?.remove();
      // Not before: nobody else is to share a user with what may still run.
      identity.release();
    });
    await unfinished.do(() => rm(discarded, { recursive: true, force: true }));
  };
  const fds: number[] = [];
  let process: SandboxProcess | null = null;
  try {
    makeDirectories(made, context.launcher.needsStaging, identity);
    group = await context.limiter.createGroup(name, resources);
    const joinFds = group.openJoinFds();
    fds.push(...joinFds);
    const filter = context.seccompFile === null ? null : openSync(context.seccompFile, 'r');
    if (filter !== null) fds.push(filter);
    const processSpec = { joinFds, seccompFd: filter, strayFds, identity, fifos };
    process = await SandboxProcess.spawn(processSpec);
    recordProcess(made, process.pid);
    const seccompFd = filter === null ? null : seccompFdOf({ joinFds });
    return { resources, directory: made, process, seccompFd, group, release };
  } catch (cause) {
    process?.kill();
    await process?.ended;
    await release(made);
    throw explainShortage(cause);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/** Ends what was prepared and not used. */
export async function discardLaunch(prepared: PreparedLaunch): Promise<void> {
  prepared.process.kill();
  await prepared.process.ended;
  await prepared.release(prepared.directory);
}

export interface LaunchOptions {
  readonly stock?: LaunchStock;
  /** What the agent is to do as soon as it is ready. */
  readonly firstCalls?: string;
  readonly volumes?: AttachedVolumes;
}

/** Starts the processes of a sandbox. It is not `ready` yet. */
export async function launchSandbox(
  context: LaunchContext,
  spec: EngineSandboxSpec,
  template: Template,
  { stock, firstCalls = '', volumes }: LaunchOptions = {},
): Promise<LaunchedSandbox> {
  const directory = join(context.runtime.sandboxes, spec.id);
  const io = join(directory, ioName);
  const { kernels } = context.runtime;
  const attached = volumes?.all ?? [];
  const steps = sandboxSteps(spec, context.systemSteps, template, { io, kernels }, attached);
  // Its own directory is not there yet, and its volumes are where the server has put them.
  const own = new Set(attached.map(({ step }) => step));
  const foreign = steps.filter(
    (step) => !own.has(step) && (step.kind !== 'bind' || step.source !== io),
  );
  context.guard.require(foreign, spec.mounts);
  const uid = volumes?.uid ?? undefined;
  const prepared =
    (uid === undefined ? stock?.take(spec.resources) : null) ??
    (await prepareLaunch(context, spec.id, spec.resources, uid));
  try {
    if (prepared.directory !== directory) renameSync(prepared.directory, directory);
  } catch (cause) {
    await discardLaunch(prepared);
    throw cause;
  }
  const { process, group } = prepared;
  try {
    const command = context.launcher.command({
      hostname: spec.hostname,
      steps,
      environment: { PATH: guestSearchPath, HOME: guestHome, USER: 'sandbox', LANG: 'C.UTF-8' },
      workdir: spec.workdir,
      shell: context.tools.shell,
      seccompFd: prepared.seccompFd,
      stagingDirectory: join(directory, stagingName),
    });
    const limits = ulimitScript(allowLargeFiles(group.rlimits, volumes?.largestMib ?? 0));
    const prelude = agentPrelude(context.agentScript, context.tools, limits);
    process.launch({ ...command, ioDirectory: io, prelude: prelude + firstCalls });
    return { process, group, steps, release: () => prepared.release(directory) };
  } catch (cause) {
    await discardLaunch({ ...prepared, directory });
    throw cause;
  }
}

/** The largest file may be as large as the largest volume, which has a bound of its own. */
function allowLargeFiles(limits: ProcessLimits, sizeMib: number): ProcessLimits {
  const { fileSizeBytes } = limits;
  if (fileSizeBytes === undefined) return limits;
  return { ...limits, fileSizeBytes: Math.max(fileSizeBytes, sizeMib * 1_048_576) };
}

/**
 * Frees the name of a directory that is to be removed. That takes file descriptors, which may be
 * short; a rename takes none, and the sandbox can start again at once. `reconcile` removes it too.
 */
function setAside(directory: string): string {
  const aside = `${directory}.gone-${randomBytes(6).toString('hex')}`;
  try {
    renameSync(directory, aside);
    return aside;
  } catch {
    // It was not made, or stays where it is until it is removed.
    return directory;
  }
}

/** Makes a sandbox's directories on the host. */
function makeDirectories(directory: string, staging: boolean, identity: HostIdentity): void {
  const io = join(directory, ioName);
  makeDirectory(directory, 0o711);
  if (staging) makeDirectory(join(directory, stagingName), 0o755);
  makeDirectory(io, 0o750);
  if (identity.dropped) chownSync(io, 0, identity.gid);
}

function makeDirectory(path: string, mode: number): void {
  mkdirSync(path, { mode });
  // The server's umask takes from the mode of what is made. The usual one takes nothing here.
  if ((statSync(path).mode & 0o777) !== mode) chmodSync(path, mode);
}

/** Lets a later server find the process, should it outlive this one against all odds. */
function recordProcess(directory: string, pid: number | undefined): void {
  if (pid === undefined) return;
  writeFileSync(join(directory, 'process'), `${pid} ${processStartTime(pid) ?? ''}\n`, {
    mode: 0o600,
  });
}

/** Reads the pid and start time that were recorded for a sandbox. */
export function readRecordedProcess(
  directory: string,
): { readonly pid: number; readonly startTime: string } | null {
  try {
    const match = /^(\d+) (\d+)\n$/.exec(readFileSync(join(directory, 'process'), 'utf8'));
    const [, pid, startTime] = match ?? [];
    return pid === undefined || startTime === undefined ? null : { pid: Number(pid), startTime };
  } catch {
    return null;
  }
}
