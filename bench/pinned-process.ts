import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Announcement } from './peers/announce.ts';

/** The server that is measured has one core, and whoever loads it another one. */
export const serverCore = 0;
export const loadCore = 1;

/** Binds a process, with every thread that it has and is going to have, to one core. */
export function pinToCore({ pid }: Pick<ChildProcess, 'pid'>, core: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' });
}

export interface Peer extends Announcement {
  stop(): Promise<void>;
}

/** Starts one of `peers/` on the core of the server. */
export async function startPeer(name: string, args: readonly string[] = []): Promise<Peer> {
  const program = join(import.meta.dirname, 'peers', `${name}.ts`);
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error(`The peer ${name} ended.`))),
  ]);
  pinToCore(child, serverCore);
  return {
    ...(JSON.parse(line) as Announcement),
    async stop() {
      child.kill();
      await ended;
    },
  };
}
