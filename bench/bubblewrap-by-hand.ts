import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** What one would type to get an isolated process, without any of Sandgate. */
const bubblewrap = [
  ...['--unshare-all', '--die-with-parent', '--new-session', '--hostname', 'sandbox'],
  ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--symlink', 'usr/lib', '/lib'],
  ...['--symlink', 'usr/lib64', '/lib64', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
  ...['--tmpfs', '/workspace', '--clearenv', '--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin'],
  ...['--chdir', '/workspace', '--cap-drop', 'ALL'],
];

const pythonLoop =
  'import sys\nscope = {}\nfor line in sys.stdin:\n  exec(line, scope)\n  sys.stdout.flush()';
const nodeLoop =
  "require('readline').createInterface({input: process.stdin}).on('line', (line) => (0, eval)(line))";

const loops = {
  python: { binds: [], argv: ['python3', '-c', pythonLoop], print: 'print(1)' },
  node: {
    binds: ['--ro-bind', process.execPath, '/opt/node'],
    argv: ['/opt/node', '-e', nodeLoop],
    print: 'console.log(1)',
  },
} as const;

export type LoopLanguage = keyof typeof loops;

/** A minimal read-eval loop in a bubblewrap of its own. */
function startLoop(language: LoopLanguage): ChildProcess {
  const { binds, argv } = loops[language];
  return spawn('bwrap', [...bubblewrap, ...binds, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** From nothing to the output of `print(1)`, in milliseconds. */
export async function timeLoopToFirstOutput(language: LoopLanguage): Promise<number> {
  const startedMs = performance.now();
  const child = startLoop(language);
  child.stdin?.write(`${loops[language].print}\n`);
  if (child.stdout === null) throw new Error('The loop has no output.');
  await once(child.stdout, 'data');
  const elapsedMs = performance.now() - startedMs;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return elapsedMs;
}

/** One `/bin/true` in a bubblewrap of its own, in milliseconds. */
export async function timeTrueByHand(): Promise<number> {
  const startedMs = performance.now();
  const child = spawn('bwrap', [...bubblewrap, '/bin/true'], { stdio: 'ignore' });
  await once(child, 'exit');
  return performance.now() - startedMs;
}

/** A bare `python3` in bubblewrap that waits for standard input. */
export function startIdlePython(): ChildProcess {
  return spawn('bwrap', [...bubblewrap, 'python3', '-c', 'import sys; sys.stdin.read()'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}
