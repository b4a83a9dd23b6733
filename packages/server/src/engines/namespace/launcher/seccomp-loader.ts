import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram, systemSearchPath } from '../find-program.ts';

const run = promisify(execFile);

/** A program that is on the host anyway and can put a filter on itself before it becomes another. */
export interface SeccompLoader {
  readonly name: string;
  /** Words to put before a command; the filter is read from the file descriptor. */
  command(fd: number): readonly string[];
}

/** prctl(2) on each architecture; PR_SET_SECCOMP is 22, SECCOMP_MODE_FILTER 2. */
const prctlNumber: Readonly<Record<string, number>> = { x64: 157, arm64: 167 };

/** `struct sock_fprog` (include/uapi/linux/filter.h): a count of 8-byte instructions and a pointer. */
const perlLoader = (prctl: number): string =>
  [
    'my $fd = shift; open(my $file, "<&=", $fd) or die "filter: $!"; binmode $file;',
    'local $/; my $filter = <$file>; close $file;',
    'my $program = pack("S x![P] P", length($filter) / 8, $filter);',
    `syscall(${prctl}, 22, 2, $program, 0, 0) == 0 or die "seccomp: $!";`,
    'exec { $ARGV[0] } @ARGV or die "exec: $!";',
  ].join('\n');

const pythonLoader = [
  'import ctypes, os, sys',
  'fd = int(sys.argv[1])',
  'data = os.read(fd, 1 << 20); os.close(fd)',
  'class Program(ctypes.Structure): _fields_ = [("count", ctypes.c_ushort), ("filter", ctypes.c_char_p)]',
  'libc = ctypes.CDLL(None, use_errno=True)',
  'program = Program(len(data) // 8, data)',
  'if libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0: sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))',
  'os.execv(sys.argv[2], sys.argv[2:])',
].join('\n');

/** Interpreters that can do it, fastest first. */
export function interpreterLoaders(): SeccompLoader[] {
  const prctl = prctlNumber[process.arch];
  const perl = findProgram('perl', systemSearchPath);
  const python = findProgram('python3', systemSearchPath);
  const loaders: SeccompLoader[] = [];
  if (perl !== null && prctl !== undefined) {
    const script = perlLoader(prctl);
    loaders.push({ name: 'perl', command: (fd) => [perl, '-e', script, String(fd)] });
  }
  if (python !== null) {
    const words = [python, '-I', '-c', pythonLoader];
    loaders.push({ name: 'python3', command: (fd) => [...words, String(fd)] });
  }
  return loaders;
}

/** `setpriv --seccomp-filter`, of util-linux 2.41, where it is; else an interpreter of the host. */
export async function findSeccompLoader(setpriv: string): Promise<SeccompLoader | null> {
  if ((await run(setpriv, ['--help'])).stdout.includes('--seccomp-filter')) {
    return {
      name: 'setpriv',
      command: (fd) => [setpriv, '--seccomp-filter', `/proc/self/fd/${fd}`, '--'],
    };
  }
  return interpreterLoaders()[0] ?? null;
}
