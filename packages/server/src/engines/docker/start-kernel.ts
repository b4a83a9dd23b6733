import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { type KernelLanguage, SandgateError } from '@sandgate/core';
import { kernelCommand, kernelStart } from '../kernel/kernel-command.ts';
import type { KernelProcess } from '../kernel/kernel-process.ts';
import type { DockerProgram, OnOutput } from './docker-program.ts';
import { runDirectory, type WrappedProgram } from './program-wrapper.ts';

export type StartProgram = (
  wrapped: Pick<WrappedProgram, 'argv' | 'control' | 'movesStreams'> & { readonly stdin: boolean },
  onOutput: OnOutput,
) => Promise<DockerProgram>;

/**
 * Starts an interpreter. The daemon carries three streams of a program, so a second one reads the
 * fourth, the replies, from a FIFO in the sandbox.
 */
export async function startKernel(
  language: KernelLanguage,
  startProgram: StartProgram,
): Promise<KernelProcess> {
  const control = randomBytes(12).toString('hex');
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const program = await startProgram(
    {
      argv: kernelCommand(language),
      control,
      movesStreams: kernelStart[language].movesStreams,
      stdin: true,
    },
    ({ stream, data }) => write(streams[stream], data),
  );
  const report = await program.started;
  if (report?.kind !== 'started') {
    program.close();
    throw new SandgateError('kernel_failed', `The ${language} kernel could not be started.`, {
      detail: `its process is ${report?.kind ?? 'lost'}`,
    });
  }
  const replies = new PassThrough();
  const path = `${runDirectory}/${control}`;
  const reader = await startProgram(
    { argv: ['/bin/sh', '-c', 'cat -- "$1"; rm -f -- "$1"', 'sh', path], stdin: false },
    ({ stream, data }) => (stream === 'stdout' ? write(replies, data) : undefined),
  );
  const exited = program.ended.then((exitCode) => exitCode ?? killedExitCode);
  program.delivered
    .catch(() => undefined)
    .finally(() => {
      streams.stdout.end();
      streams.stderr.end();
    });
  reader.delivered.catch(() => undefined).finally(() => replies.end());
  exited.then(() =>
    setTimeout(() => [program, reader].forEach((each) => void each.close()), closeGraceMs).unref(),
  );
  return {
    stdin: program.stdin,
    ...streams,
    control: replies,
    kill: (signal) => program.signal(signal, signal === 'SIGINT' ? 'process' : 'group'),
    exited,
  };
}

const killedExitCode = 137;
/** How long the streams of an ended kernel stay open for what it had written. */
const closeGraceMs = 1_000;

/** Waits while the reader of a stream is behind. */
function write(stream: PassThrough, data: Buffer): void | Promise<void> {
  if (stream.writableEnded || stream.destroyed || stream.write(data)) return;
  return new Promise((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}
