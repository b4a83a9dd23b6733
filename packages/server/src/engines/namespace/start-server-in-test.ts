import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { EngineSandboxSpec } from '@sandgate/core';
import type { LauncherName } from './engine-options.ts';

export interface ServerInTest {
  readonly stateDirectory: string;
  readonly launcher: LauncherName;
  /** The user that it runs as. Default: the test's own. */
  readonly user?: number;
}

const spec: Omit<EngineSandboxSpec, 'id'> = {
  hostname: 'box',
  image: 'microsandbox/node',
  resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 },
  environment: {},
  workdir: '/workspace',
  mounts: [],
  scripts: {},
};

/** Runs another server: a program that makes an engine and goes on as `body` says. */
export function startServer(server: ServerInTest, body: string): ChildProcess {
  const { stateDirectory, launcher, user } = server;
  const program = `
    import { createNamespaceEngine } from ${JSON.stringify(new URL('./namespace-engine.ts', import.meta.url).href)};
    const engine = createNamespaceEngine({ stateDirectory: ${JSON.stringify(stateDirectory)}, launcher: ${JSON.stringify(launcher)} });
    const spec = { id: '5'.repeat(24), ...${JSON.stringify(spec)} };
    const run = async (sandbox, ...argv) => {
      let text = '';
      const outcome = await sandbox.exec({ argv, onOutput: ({ data }) => { text += data; } });
      return [outcome.exitCode ?? outcome.kind, text];
    };
    ${body}`;
  return spawn(
    process.execPath,
    ['--conditions=@sandgate/source', '--input-type=module', '-e', program],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: '/',
      ...(user === undefined ? {} : { uid: user, gid: user }),
    },
  );
}

export async function readAll(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (data: Buffer) => {
    text += data.toString('utf8');
  });
  await once(child, 'close');
  return text;
}

/** A process that has ended and waits to be reaped has no command line any more (proc(5)). */
export function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1') !== '';
  } catch {
    return false;
  }
}

export function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    });
}
