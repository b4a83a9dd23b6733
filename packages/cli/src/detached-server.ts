import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, open, stat } from 'node:fs/promises';
import type { ServerRecord } from '@sandgate/server';
import { failure } from './exit.ts';
import { callHttp } from './http-call.ts';
import { readTail } from './log-file.ts';
import type { ServerLaunch, StartedServer } from './server-launch.ts';
import { loadServer } from './server-module.ts';

/** How a start in the background ended. */
export type DetachedStart =
  | { readonly kind: 'started'; readonly server: StartedServer }
  /** Another process became the server of this home in the meantime. */
  | { readonly kind: 'already_running'; readonly record: ServerRecord | null };

/** What the parent and the server in the background tell each other, over Node's IPC channel. */
type Report = DetachedStart | { readonly kind: 'failed'; readonly message: string };

const healthTimeoutMs = 10_000;
const tailLines = 20;

async function openLog(path: string) {
  const file = await open(path, 'a', 0o600);
  await chmod(path, 0o600);
  return { file, size: (await stat(path)).size };
}

/** The certificate is not looked at: whose server this is, is known. */
async function requireHealth(address: string): Promise<void> {
  const { status } = await callHttp({
    method: 'GET',
    url: new URL('/api/v1/health', address),
    timeoutMs: healthTimeoutMs,
    verifyCertificate: false,
  });
  if (status !== 200) throw failure(`The server at ${address} is not healthy: status ${status}`);
}

async function withLogTail(message: string, path: string, from: number): Promise<string> {
  const tail = (await readTail(path, tailLines, from))?.text.trim() ?? '';
  return [message, ...(tail === '' ? [] : [`The end of ${path}:`, tail])].join('\n');
}

/**
 * Starts the server in the background, in a session of its own and with its output in the log, and
 * resolves when its port answers. The server key goes there, and the first API key comes back, over
 * a pipe: neither is in the arguments, the environment or the log.
 */
export async function startDetached(launch: ServerLaunch): Promise<DetachedStart> {
  const { serverLogPath } = await loadServer();
  const path = serverLogPath(launch.home);
  const log = await openLog(path);
  const program = process.argv[1] ?? '';
  const child = spawn(
    process.execPath,
    [...process.execArgv, program, 'server', 'serve-detached'],
    {
      detached: true,
      stdio: ['ignore', log.file.fd, log.file.fd, 'ipc'],
    },
  );
  try {
    const ended = once(child, 'exit').then(([code, signal]) => ({
      kind: 'failed' as const,
      message: `The server ended with ${signal ?? `exit code ${code}`}.`,
    }));
    const reported = once(child, 'message').then(([message]) => message as Report);
    child.send(launch);
    const report = await Promise.race([reported, ended]);
    if (report.kind === 'failed') {
      throw failure(await withLogTail(report.message, path, log.size));
    }
    if (report.kind === 'started') await requireHealth(report.server.address);
    return report;
  } catch (error) {
    child.kill('SIGTERM');
    throw error;
  } finally {
    await log.file.close();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** The other side: takes the launch, starts, and reports. */
export async function reportToParent(
  start: (launch: ServerLaunch) => Promise<DetachedStart>,
): Promise<void> {
  if (process.send === undefined) throw failure('This command is for msb itself.');
  const [launch] = await once(process, 'message');
  const report: Report = await start(launch as ServerLaunch).catch((error: unknown) => ({
    kind: 'failed',
    message: error instanceof Error ? error.message : String(error),
  }));
  await new Promise((resolve) => process.send?.(report, undefined, undefined, resolve));
  if (process.connected) process.disconnect();
  if (report.kind === 'failed') throw failure(report.message);
}
