import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestDocker {
  readonly socketPath: string;
  /** Of the daemon: whose network is its own. */
  readonly pid: number;
  /** Runs Docker's own client, and gives back what it writes. */
  docker(...words: readonly string[]): string;
  stop(): Promise<void>;
}

const readyDeadlineMs = 60_000;

/**
 * What a daemon writes down about its containers is in memory: it waits for a disk at each step otherwise.
 * Their files stay on the disk, as a sandbox's memory would be charged for files in memory.
 */
const prepare = `
ip link set lo up
mount -t tmpfs tmpfs "$0/data" && mkdir "$0/data/overlay2" || exit 1
mount --bind "$0/files" "$0/data/overlay2" || exit 1
exec "$@"`;

/**
 * A Docker daemon of Debian's packages, in network and mount namespaces of its own: nothing of it
 * touches the machine's network, and all that it stores goes with its folder.
 */
export async function startDocker(
  options: { readonly runtimes?: Readonly<Record<string, string>> } = {},
): Promise<TestDocker> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-dkr-'));
  const socketPath = join(folder, 'docker.sock');
  const runtimes = Object.entries(options.runtimes ?? {}).map(
    ([name, path]) => `--add-runtime=${name}=${path}`,
  );
  const daemon = [
    'dockerd',
    `--data-root=${join(folder, 'data')}`,
    `--exec-root=${join(folder, 'data', 'exec')}`,
    `--pidfile=${join(folder, 'docker.pid')}`,
    `--host=unix://${socketPath}`,
    '--bridge=none',
    '--iptables=false',
    '--log-level=error',
    ...runtimes,
  ];
  for (const name of ['data', 'files']) mkdirSync(join(folder, name));
  const child = spawn(
    'unshare',
    ['--net', '--mount', '--propagation=private', '/bin/sh', '-c', prepare, folder, ...daemon],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors = (errors + data.toString('utf8')).slice(-4_000);
  });
  const docker = (...words: readonly string[]): string =>
    execFileSync('docker', ['--host', `unix://${socketPath}`, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1_048_576,
    });
  const stop = async (): Promise<void> => {
    await endDaemon(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + readyDeadlineMs;
  while (!isReady(socketPath, docker)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`dockerd did not start: ${errors}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { socketPath, pid: child.pid ?? 0, docker, stop };
}

function isReady(socketPath: string, docker: TestDocker['docker']): boolean {
  if (!existsSync(socketPath)) return false;
  try {
    docker('info');
    return true;
  } catch {
    return false;
  }
}

/** Its containers and its containerd end with it. */
async function endDaemon(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}
