import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineFinding, EngineReport } from '@sandgate/core';
import { readAgentScript } from './agent-prelude.ts';
import { defaultFirstHostUid, type NamespaceEngineOptions } from './engine-options.ts';
import { FifoPool } from './exec/fifo-pool.ts';
import { findInterpreters } from './find-interpreters.ts';
import { findStrayFds } from './find-stray-fds.ts';
import { HostGuard } from './host-guard.ts';
import { HostIdentities } from './host-identity.ts';
import { findHostTools } from './host-tools.ts';
import { findImageTemplates } from './image/find-image-templates.ts';
import { compileKernelScripts, installKernelScripts } from './install-kernel-scripts.ts';
import type { LaunchContext } from './launch-sandbox.ts';
import { findLaunchers } from './launcher/find-launchers.ts';
import type { Launcher } from './launcher/launcher.ts';
import { cgroupRemedy } from './limits/describe-limits.ts';
import { detectResourceLimiter, type ResourceLimiter } from './limits/resource-limiter.ts';
import { systemSteps } from './mount-plan.ts';
import { blockedNamespaceFindings } from './namespace-findings.ts';
import { findSocketOpener } from './network/find-socket-opener.ts';
import type { RuntimeDirectory } from './runtime-directory.ts';
import { compileSeccompFilter } from './seccomp/compile-filter.ts';
import type { HostInterpreter, Template } from './template/template.ts';
import { findTerminal } from './terminal/find-terminal.ts';
import { tryProgram } from './try-program.ts';
import { UnfinishedWork } from './unfinished-work.ts';
import { probeVolumes, type VolumeKind } from './volumes/namespace-volumes.ts';

export interface ProbedEngine {
  readonly report: EngineReport;
  /** Null when no sandbox can be started. */
  readonly context: LaunchContext | null;
  readonly templates: readonly Template[];
}

/** Looks for a way to start sandboxes, and believes in it after one was started. */
export async function probeEngine(
  options: NamespaceEngineOptions,
  runtime: RuntimeDirectory,
  probeId: string,
): Promise<ProbedEngine> {
  const findings: EngineFinding[] = [];
  const tools = await findHostTools(options.agentShell);
  if (typeof tools === 'string') {
    findings.push({
      subject: 'system programs',
      status: 'missing',
      message: `The host lacks ${tools}.`,
      remedy: 'Install coreutils and util-linux.',
    });
    return unusable(findings);
  }
  const [limiter, volumeKind] = await Promise.all([
    detectResourceLimiter({ stateDirectory: options.stateDirectory }),
    probeVolumes(runtime, tools.archive),
  ]);
  installKernelScripts(runtime.kernels);
  const shared = {
    tools,
    limiter,
    runtime,
    fifos: new FifoPool(runtime.fifos),
    identities: new HostIdentities(options.firstHostUid ?? defaultFirstHostUid),
    guard: new HostGuard(options.stateDirectory, runtime),
    unfinished: new UnfinishedWork(),
    volumeKind,
    agentScript: readAgentScript(),
    systemSteps: systemSteps(),
    strayFds: findStrayFds(),
  };
  const candidates = await findLaunchers(options.launcher ?? 'auto');
  findings.push(...candidates.findings);
  for (const launcher of candidates.launchers) {
    const seccompFile = launcher.seccomp ? writeSeccompFilter(runtime) : null;
    const context: LaunchContext = {
      ...shared,
      launcher,
      seccompFile,
      kernelsCompiled: false,
      socketOpener: null,
      terminal: null,
    };
    const failure = await tryProgram(context, [], probeId, ['/bin/true']);
    findings.push(launcherFinding(launcher, failure));
    if (failure !== null) continue;
    const interpreters = await findInterpreters(context, options, probeId, findings);
    findings.push(...contextFindings(context));
    const socketOpener = await findSocketOpener(context, probeId, findings);
    const terminal = await findTerminal(context, interpreters, probeId, findings);
    if (options.images !== undefined && launcher.name !== 'bubblewrap') {
      findings.push({
        subject: 'images',
        status: 'degraded',
        message: 'Sandboxes cannot be made of images: that takes bubblewrap.',
        remedy: 'Install it, as in `apt-get install bubblewrap`.',
      });
    }
    const local = await findImageTemplates(context, options.templateImages ?? [], findings);
    const templates = [...local, ...buildTemplates(interpreters)];
    const kernelsCompiled = await compileKernelScripts(runtime.kernels, interpreters);
    const complete = { ...context, kernelsCompiled, socketOpener, terminal };
    return {
      context: complete,
      templates,
      report: usableReport(complete, templates, findings),
    };
  }
  findings.push(...blockedNamespaceFindings());
  return unusable(findings);
}

function writeSeccompFilter(runtime: RuntimeDirectory): string | null {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return null;
  const path = join(runtime.root, 'seccomp.bpf');
  writeFileSync(path, compileSeccompFilter(process.arch), { mode: 0o644 });
  return path;
}

function buildTemplates(interpreters: readonly HostInterpreter[]): Template[] {
  const languages = interpreters.map((interpreter) => interpreter.language);
  const steps = interpreters.flatMap((interpreter) => interpreter.steps);
  return interpreters.map(({ language, description }) => ({
    name: `microsandbox/${language}`,
    languages,
    description,
    steps,
  }));
}

function launcherFinding(launcher: Launcher, failure: string | null): EngineFinding {
  return failure === null
    ? { subject: launcher.name, status: 'ok', message: `${launcher.description} starts sandboxes.` }
    : {
        subject: launcher.name,
        status: 'missing',
        message: `${launcher.description} cannot start a sandbox: ${failure}`,
      };
}

function contextFindings(context: LaunchContext): EngineFinding[] {
  const seccomp: EngineFinding =
    context.seccompFile !== null
      ? { subject: 'seccomp', status: 'ok', message: 'Every sandbox has a system-call filter.' }
      : {
          subject: 'seccomp',
          status: 'degraded',
          message: 'Sandboxes have no system-call filter.',
          remedy: 'Install bubblewrap.',
        };
  const layers: EngineFinding =
    context.tools.archive !== null
      ? {
          subject: 'layers',
          status: 'ok',
          message: 'Files are kept from stop to start, and in snapshots.',
        }
      : {
          subject: 'layers',
          status: 'degraded',
          message:
            'Files are lost when a sandbox stops, and no snapshot can be made: there is no GNU tar.',
          remedy: 'Install GNU tar.',
        };
  const files: EngineFinding = context.tools.filePrograms
    ? { subject: 'files', status: 'ok', message: 'Files of running sandboxes can be worked on.' }
    : {
        subject: 'files',
        status: 'degraded',
        message: 'Files can only be read and written whole: GNU find, dd or tar is not there.',
        remedy: 'Install GNU findutils, coreutils and tar.',
      };
  const pause = pauseFinding(context.limiter);
  const volumes = volumeFinding(context.volumeKind);
  return [seccomp, ...context.limiter.findings, pause, layers, files, volumes];
}

function pauseFinding({ freezer }: ResourceLimiter): EngineFinding {
  const subject = 'pause';
  if (freezer) return { subject, status: 'ok', message: 'A cgroup freezes a paused sandbox.' };
  return {
    subject,
    status: 'degraded',
    message: 'A paused sandbox is stopped by SIGSTOP, which its programs can notice.',
    remedy: cgroupRemedy,
  };
}

function volumeFinding(volumes: VolumeKind): EngineFinding {
  const subject = 'volumes';
  if (volumes.kind === 'disk') {
    return { subject, status: 'ok', message: 'Volumes are disks on loop devices.' };
  }
  const [status, message] =
    volumes.kind === 'memory'
      ? ([
          'degraded',
          'Volumes are in memory while they are attached, and saved at the end.',
        ] as const)
      : (['missing', 'There are no volumes.'] as const);
  return {
    subject,
    status,
    message: `${message} Reason: ${volumes.reason}.`,
    remedy: 'Run the server as root on a machine with loop devices and e2fsprogs.',
  };
}

function usableReport(
  context: LaunchContext,
  templates: readonly Template[],
  findings: readonly EngineFinding[],
): EngineReport {
  const { memory, cpu, processes } = context.limiter.kinds;
  return {
    engine: context.launcher.name,
    usable: true,
    capabilities: {
      seccomp: context.seccompFile !== null,
      memoryLimit: memory,
      cpuLimit: cpu,
      processLimit: processes,
      persistentLayer: context.tools.archive !== null,
      snapshots: context.tools.archive !== null,
      terminals: context.terminal !== null,
      volumes: context.volumeKind.kind,
      pause: context.limiter.freezer ? 'freezer' : 'signals',
      egress: context.socketOpener !== null,
      dial: context.socketOpener !== null,
    },
    templates: templates.map(({ name, languages, description }) => ({
      name,
      languages,
      description,
    })),
    findings,
  };
}

function unusable(findings: readonly EngineFinding[]): ProbedEngine {
  return {
    context: null,
    templates: [],
    report: {
      engine: 'namespace',
      usable: false,
      capabilities: {
        seccomp: false,
        memoryLimit: 'none',
        cpuLimit: 'none',
        processLimit: 'none',
        persistentLayer: false,
      },
      templates: [],
      findings,
    },
  };
}
