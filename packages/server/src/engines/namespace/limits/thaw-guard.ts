import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { quoteShell } from '../../quote-shell.ts';
import { explainShortage } from '../descriptor-shortage.ts';

/**
 * Thaws the groups of a server that is gone. A process that a v1 freezer holds cannot be killed, so
 * the death of a paused sandbox's server would not end it. One idle shell waits for the end of the
 * server's pipe; what it thaws then has its SIGKILL waiting.
 */
export class ThawGuard {
  readonly #script: string;
  #child: Promise<ChildProcess> | null = null;

  /** Groups are beneath `bases`, with names that begin with `prefix`. */
  constructor(bases: readonly string[], prefix: string) {
    const states = bases.map((base) => `${quoteShell(`${base}/${prefix}`)}*/freezer.state`);
    this.#script = `while read -r _; do :; done; for state in ${states.join(' ')}; do echo THAWED >"$state"; done`;
  }

  /** To be awaited before anything is frozen. */
  async start(): Promise<void> {
    this.#child ??= this.#spawn();
    await this.#child;
  }

  async close(): Promise<void> {
    if (this.#child === null) return;
    const child = await this.#child;
    const exited = once(child, 'exit');
    child.ref();
    child.stdin?.end();
    if (child.exitCode === null && child.signalCode === null) await exited;
  }

  async #spawn(): Promise<ChildProcess> {
    // A session of its own, so that a signal to the server's group leaves it there.
    const child = spawn('/bin/sh', ['-c', this.#script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      detached: true,
      env: {},
    });
    try {
      await once(child, 'spawn');
    } catch (cause) {
      this.#child = null;
      throw explainShortage(cause);
    }
    child.once('exit', () => {
      this.#child = null;
    });
    child.stdin?.on('error', () => {});
    // It is not what the server is kept running for.
    child.unref();
    return child;
  }
}
