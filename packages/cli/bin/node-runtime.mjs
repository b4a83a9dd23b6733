/**
 * Finding a Node that is new enough, and running it as if it were this process. Plain JavaScript
 * for Node 20, since it decides whether anything newer can be used at all.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const needed = [22, 18];

/** Whether this version can run Sandgate: node:sqlite without a flag, and type stripping. */
export function isNewEnough(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/**
 * The path of the Node that npm installed as an optional dependency, looked up from `fromFile`;
 * null where npm has none for this system.
 */
export function findBundledNode(fromFile) {
  try {
    const name = `node-${process.platform}-${process.arch}`;
    const manifest = createRequire(fromFile).resolve(`${name}/package.json`);
    return join(dirname(manifest), 'bin', 'node');
  } catch {
    return null;
  }
}

/**
 * Runs a program in the foreground with this process's standard streams. Signals that arrive here
 * are passed on; a terminal also sends Ctrl-C to the program directly, so that the program may see
 * a signal twice and has to take a quick repetition for one.
 *
 * @returns the exit code, 128 + n after signal n as a shell has it.
 */
export function runInForeground(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
    const passOn = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, passOn);
    const stopPassingOn = () => {
      for (const signal of signals) process.off(signal, passOn);
    };
    child.once('error', (error) => {
      stopPassingOn();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      stopPassingOn();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
