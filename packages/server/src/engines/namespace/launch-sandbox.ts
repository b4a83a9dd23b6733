import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineSandboxSpec } from '@sandgate/core';
import { agentPrelude } from './agent-prelude.ts';
import { guestHome } from './engine-options.ts';
import type { FifoPool } from './exec/fifo-pool.ts';
import type { HostIdentities, HostIdentity } from './host-identity.ts';
import type { HostTools } from './host-tools.ts';
import { joinGroupCommand } from './join-group-command.ts';
import type { Launcher, MountStep } from './launcher/launcher.ts';
import { ulimitScript } from './limits/process-limits.ts';
import type { ResourceGroup, ResourceLimiter } from './limits/resource-limiter.ts';
import { sandboxSteps } from './mount-plan.ts';
import type { RuntimeDirectory } from './runtime-directory.ts';
import { SandboxProcess } from './sandbox-process.ts';
import { processStartTime } from './stale-processes.ts';
import { guestSearchPath, type Template } from './template/template.ts';

/** What all sandboxes of an engine are started with. */
export interface LaunchContext {
  readonly launcher: Launcher;
  readonly tools: HostTools;
  readonly limiter: ResourceLimiter;
  readonly runtime: RuntimeDirectory;
  readonly fifos: FifoPool;
  readonly identities: HostIdentities;
  readonly agentScript: string;
  readonly systemSteps: readonly MountStep[];
  /** The Python kernel is there as bytecode for the interpreter of the templates. */
  readonly kernelsCompiled: boolean;
  /** Descriptors of the server that every child would inherit. */
  readonly strayFds: readonly number[];
  /** File with the system-call filter; null where the launcher cannot use one. */
  readonly seccompFile: string | null;
}

export interface LaunchedSandbox {
  readonly process: SandboxProcess;
  readonly group: ResourceGroup;
  readonly steps: readonly MountStep[];
  /** Removes what is left on the host. To be called after the process has ended. */
  release(): Promise<void>;
}

/** First file descriptor after the agent's four. */
const firstExtraFd = 4;
const stagingName = 'root';

/** Starts the processes of a sandbox. It is not `ready` yet. */
export async function launchSandbox(
  context: LaunchContext,
  spec: EngineSandboxSpec,
  template: Template,
): Promise<LaunchedSandbox> {
  const directory = join(context.runtime.sandboxes, spec.id);
  const identity = context.identities.acquire();
  let group: ResourceGroup | null = null;
  const release = async (): Promise<void> => {
    try {
      await group?.kill();
      await group?.remove();
      // Not before: nobody else is to share a user with what may still run.
      identity.release();
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
  const fds: number[] = [];
  try {
    const io = makeDirectories(directory, context.launcher.needsStaging, identity);
    group = await context.limiter.createGroup(spec.id, spec.resources);
    fds.push(...group.openJoinFds());
    const joinFds = fds.map((_, index) => firstExtraFd + index);
    const seccompFd = context.seccompFile === null ? null : firstExtraFd + fds.length;
    if (context.seccompFile !== null) fds.push(openSync(context.seccompFile, 'r'));
    const steps = sandboxSteps(spec, context.systemSteps, template, {
      io,
      kernels: context.runtime.kernels,
    });
    const launch = context.launcher.command({
      hostname: spec.hostname,
      steps,
      environment: { PATH: guestSearchPath, HOME: guestHome, USER: 'sandbox', LANG: 'C.UTF-8' },
      workdir: spec.workdir,
      shell: context.tools.shell,
      seccompFd,
      stagingDirectory: join(directory, stagingName),
    });
    const process = new SandboxProcess({
      ...joinGroupCommand(launch, joinFds),
      extraFds: fds,
      strayFds: context.strayFds,
      identity,
      ioDirectory: io,
      fifos: context.fifos,
      prelude: agentPrelude(context.agentScript, context.tools, ulimitScript(group.rlimits)),
    });
    recordProcess(directory, process.pid);
    return { process, group, steps, release };
  } catch (cause) {
    await release();
    throw cause;
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/** Makes a sandbox's directories on the host. Returns that of its FIFOs. */
function makeDirectories(directory: string, staging: boolean, identity: HostIdentity): string {
  const io = join(directory, 'io');
  makeDirectory(directory, 0o711);
  if (staging) makeDirectory(join(directory, stagingName), 0o755);
  makeDirectory(io, 0o750);
  if (identity.dropped) chownSync(io, 0, identity.gid);
  return io;
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
