import { fileURLToPath } from 'node:url';
import { findProgram, systemSearchPath } from '../find-program.ts';

/** A script of `host/` and the interpreter that runs it. */
export interface SocketProgram {
  readonly name: 'perl' | 'python3';
  readonly file: string;
  readonly args: readonly string[];
}

/** setns(2) and sendmsg(2) on each architecture. */
const callNumbers: Readonly<Record<string, readonly [setns: string, sendmsg: string]>> = {
  x64: ['308', '46'],
  arm64: ['268', '211'],
};

/** Programs that could open sockets in sandboxes, lightest first. Each has yet to be tried. */
export function findSocketPrograms(): SocketProgram[] {
  const programs: SocketProgram[] = [];
  const perl = findProgram('perl', systemSearchPath);
  const calls = callNumbers[process.arch];
  if (perl !== null && calls !== undefined) {
    programs.push({
      name: 'perl',
      file: perl,
      args: [script('open-socket.pl'), ...calls],
    });
  }
  const python = findProgram('python3', systemSearchPath);
  if (python !== null) {
    const args = ['-I', '-S', script('open-socket.py')];
    programs.push({ name: 'python3', file: python, args });
  }
  return programs;
}

const script = (name: string): string =>
  fileURLToPath(new URL(`../../../../host/${name}`, import.meta.url));
