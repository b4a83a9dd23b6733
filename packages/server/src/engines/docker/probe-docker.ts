import type { EngineFinding, KernelLanguage } from '@sandgate/core';
import type Docker from 'dockerode';
import { kernelGuestDirectory } from '../kernel/kernel-command.ts';
import {
  pythonTerminal,
  scriptTerminal,
  type TerminalProgram,
} from '../terminal/terminal-program.ts';
import { instanceLabel } from './container-request.ts';
import { dockerStatus } from './docker-failure.ts';
import type { DockerEngineOptions, DockerImage, DockerTemplate } from './docker-options.ts';
import { FrameReader } from './frame-reader.ts';

export interface ProbedDocker {
  readonly usable: boolean;
  readonly images: readonly DockerImage[];
  /** Name for container requests; null is the daemon's default. */
  readonly runtime: string | null;
  readonly findings: readonly EngineFinding[];
}

const subject = 'Docker';
const gvisor = 'runsc';

/** Asks the daemon, and starts each image once to see what is in it. */
export async function probeDocker(
  docker: Docker,
  options: DockerEngineOptions,
): Promise<ProbedDocker> {
  const findings: EngineFinding[] = [];
  let runtimes: readonly string[];
  try {
    const info = (await docker.info()) as {
      readonly ServerVersion: string;
      readonly Runtimes?: object;
    };
    runtimes = Object.keys(info.Runtimes ?? {});
    findings.push({ subject, status: 'ok', message: `Docker ${info.ServerVersion} answers.` });
  } catch {
    findings.push({
      subject,
      status: 'missing',
      message: `No Docker daemon answers on ${options.socketPath}.`,
      remedy: 'Start it, let this user use its socket, or set engine.docker.socketPath.',
    });
    return { usable: false, images: [], runtime: null, findings };
  }
  const look = (runtime: string | null) =>
    Promise.all(options.templates.map((each) => lookInto(docker, options, each, runtime)));
  if (options.runtime !== 'auto') {
    const there = runtimes.includes(options.runtime);
    findings.push(
      there
        ? runtimeFinding('ok', `Sandboxes run under ${options.runtime}, as configured.`)
        : runtimeFinding('missing', `The daemon has no runtime ${options.runtime}.`, installRemedy),
    );
    if (!there) return { usable: false, images: [], runtime: options.runtime, findings };
    return conclude(options, await look(options.runtime), options.runtime, findings);
  }
  const plain = await look(null);
  if (!runtimes.includes(gvisor)) {
    findings.push(
      runtimeFinding(
        'degraded',
        "Sandboxes run under Docker's default runtime and share the host kernel.",
        `gVisor (runsc) would be a stronger wall. ${installRemedy}`,
      ),
    );
    return conclude(options, plain, null, findings);
  }
  const walled = await look(gvisor);
  const worse = plain.find((image, index) => abilities(image) !== abilities(walled[index]));
  if (worse === undefined) {
    const message = 'gVisor keeps the system calls of sandboxes from the host kernel.';
    findings.push(runtimeFinding('ok', message));
    return conclude(options, walled, gvisor, findings);
  }
  findings.push(
    runtimeFinding(
      'degraded',
      `gVisor is there, and not everything in ${'image' in worse ? worse.image : 'an image'} runs under it: sandboxes share the host kernel.`,
      'Install a newer gVisor, or set engine.docker.runtime to runsc to use what works.',
    ),
  );
  return conclude(options, plain, null, findings);
}

const installRemedy = 'Install it, name it in the daemon.json of Docker, and restart the daemon.';

export type Looked = DockerImage | { readonly finding: EngineFinding };

/** What can be done with an image, to be compared. */
const abilities = (looked: Looked | undefined): string =>
  looked === undefined || 'finding' in looked ? 'nothing' : looked.languages.join();

function conclude(
  { templates, pulls }: DockerEngineOptions,
  looked: readonly Looked[],
  runtime: string | null,
  findings: readonly EngineFinding[],
): ProbedDocker {
  const images = looked.flatMap((each) => ('finding' in each ? [] : each));
  const missing = looked.flatMap((each) => ('finding' in each ? each.finding : []));
  // Without templates, there is what can be pulled.
  const usable = images.length > 0 || (templates.length === 0 && pulls !== undefined);
  return { usable, images, runtime, findings: [...findings, ...missing] };
}

function runtimeFinding(
  status: EngineFinding['status'],
  message: string,
  remedy?: string,
): EngineFinding {
  return {
    subject: 'container runtime',
    status,
    message,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** Names what is there, and an interpreter only when it runs: some runtimes cannot carry every one. */
const lookAround = `
command -v env >/dev/null && command -v mkfifo >/dev/null && echo coreutils
command -v python3 >/dev/null && python3 -c '' >/dev/null 2>&1 && echo python
command -v node >/dev/null && node -e '' >/dev/null 2>&1 && echo node
command -v script`;

function terminalOf(
  script: string | undefined,
  languages: readonly KernelLanguage[],
): TerminalProgram | null {
  if (script !== undefined) return scriptTerminal(script);
  return languages.includes('python') ? pythonTerminal('python3', kernelGuestDirectory) : null;
}

/** Which interpreters an image has, by starting it. */
export async function lookInto(
  docker: Docker,
  { instance }: Pick<DockerEngineOptions, 'instance'>,
  { name, image, description }: DockerTemplate,
  runtime: string | null,
): Promise<Looked> {
  const missing = (message: string, remedy: string) => ({
    finding: { subject: `image ${name}`, status: 'missing' as const, message, remedy },
  });
  try {
    const { Id: imageId } = await docker.getImage(image).inspect();
    const container = await docker.createContainer({
      Image: image,
      User: '1000:1000',
      Entrypoint: ['/bin/sh', '-c', lookAround],
      Cmd: [],
      Tty: false,
      Labels: { [instanceLabel]: instance },
      HostConfig: {
        NetworkMode: 'none',
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ...(runtime === null ? {} : { Runtime: runtime }),
      },
    });
    try {
      await container.start();
      await container.wait();
      const output = await container.logs({ stdout: true, stderr: false });
      const words = new FrameReader().read(output).map(({ data }) => data.toString('latin1'));
      const found = words.join('').split('\n');
      if (!found.includes('coreutils')) {
        return missing(
          `${image} has no shell with coreutils.`,
          'Use an image with sh, env, mkfifo.',
        );
      }
      const languages = (['python', 'node'] as const).filter((each) => found.includes(each));
      const script = found.find((line) => line.endsWith('/script'));
      return {
        name,
        image,
        imageId,
        languages,
        terminal: terminalOf(script, languages),
        description: description ?? `Docker image ${image}`,
      };
    } finally {
      await container.remove({ force: true, v: true });
    }
  } catch (error) {
    if (dockerStatus(error) === 404)
      return missing(`Docker has no image ${image}.`, `docker pull ${image}`);
    const reason = error instanceof Error ? error.message : String(error);
    return missing(`${image} cannot be started: ${reason}`, 'Try it with docker run.');
  }
}
