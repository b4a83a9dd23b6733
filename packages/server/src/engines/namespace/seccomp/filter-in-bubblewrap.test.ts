import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileSeccompFilter } from './compile-filter.ts';
import { syscallNumbersArm64 } from './syscall-numbers-arm64.ts';
import { syscallNumbersX64 } from './syscall-numbers-x64.ts';

const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
const numbers: Readonly<Record<string, number>> =
  architecture === 'arm64' ? syscallNumbersArm64 : syscallNumbersX64;
const python = '/usr/bin/python3';

const EPERM = 1;
const ENOSYS = 38;

let directory: string;
let filterPath: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sandgate-seccomp-'));
  filterPath = join(directory, 'filter.bpf');
  writeFileSync(filterPath, compileSeccompFilter(architecture));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const guestNode = '/mnt/node';

/** Runs a program under bubblewrap and the filter; its whole outcome, for one comparison. */
function run(...argv: readonly string[]) {
  const filter = openSync(filterPath, 'r');
  try {
    const sandbox = '--unshare-all --die-with-parent --new-session --ro-bind / / --proc /proc';
    // Node may lie beneath the /tmp that is hidden here.
    const tools = ['--tmpfs', '/mnt', '--ro-bind', process.execPath, guestNode];
    const rest = '--dev /dev --tmpfs /tmp --chdir /tmp --cap-drop ALL --seccomp 3';
    const { status, stdout, stderr, error } = spawnSync(
      'bwrap',
      [...sandbox.split(' '), ...tools, ...rest.split(' '), ...argv],
      { stdio: ['ignore', 'pipe', 'pipe', filter], encoding: 'utf8', timeout: 20_000 },
    );
    if (error !== undefined) throw error;
    return { status, stdout: stdout.trim(), stderr: stderr.trim() };
  } finally {
    closeSync(filter);
  }
}

const ok = (stdout: string) => ({ status: 0, stdout, stderr: '' });

/** The errno of a system call made by Python, 0 when it succeeded. */
function errnoOf(call: string, ...args: readonly (number | string)[]): number {
  const number = numbers[call];
  if (number === undefined) throw new Error(`no such system call: ${call}`);
  const code = [
    'import ctypes, sys',
    'libc = ctypes.CDLL(None, use_errno=True)',
    'args = [ctypes.c_long(int(a)) for a in sys.argv[1:]]',
    'result = libc.syscall(*args)',
    'print(ctypes.get_errno() if result == -1 else 0)',
  ].join('\n');
  const outcome = run(python, '-c', code, String(number), ...args.map(String));
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  return Number(outcome.stdout);
}

describe('programs that work under the filter', () => {
  it('has the filter and no new privileges in force', () => {
    const { stdout } = run('/bin/grep', '-E', '^(Seccomp|NoNewPrivs|CapEff):', '/proc/self/status');
    expect(stdout.split(/\s+/)).toEqual(
      'CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2'.split(' '),
    );
  });

  it('runs a shell with pipes, background jobs, FIFOs and signals', () => {
    const script =
      'mkfifo f; (echo fifo > f) & cat f; wait; echo a b | tr a-z A-Z; sleep 9 & kill $!; wait; ls /tmp';
    expect(run('/bin/sh', '-c', script)).toEqual(ok('fifo\nA B\nf'));
  });

  it('runs tar with owners, modes, links and times kept', () => {
    const script =
      'mkdir d && echo x > d/a && ln d/a d/b && ln -s a d/c && chmod 640 d/a && tar cf t.tar d && ' +
      'rm -r d && tar xpf t.tar && stat -c %a:%h d/a && readlink d/c';
    expect(run('/bin/sh', '-c', script)).toEqual(ok('640:2\na'));
  });

  it('runs git up to a commit', () => {
    const script =
      'export HOME=/tmp; git init -q r && cd r && echo x > a && git add a && ' +
      'git -c user.name=n -c user.email=e commit -qm first && git log --format=%s';
    expect(run('/bin/sh', '-c', script)).toEqual(ok('first'));
  });

  it('runs Python threads, subprocesses, sockets and interface listing', () => {
    const code = [
      'import threading, subprocess, socket, asyncio, signal, mmap, tempfile, os',
      'seen = []',
      'threads = [threading.Thread(target=seen.append, args=(i,)) for i in range(8)]',
      '[t.start() for t in threads]; [t.join() for t in threads]',
      'print(len(seen))',
      'print(subprocess.check_output(["echo", "child"], text=True).strip())',
      'a, b = socket.socketpair(); a.send(b"pair"); print(b.recv(9).decode())',
      'async def serve():',
      '    async def hello(reader, writer): writer.write(b"tcp"); writer.close()',
      '    server = await asyncio.start_server(hello, "127.0.0.1", 0)',
      '    reader, _ = await asyncio.open_connection(*server.sockets[0].getsockname())',
      '    print((await reader.read()).decode())',
      'asyncio.run(serve())',
      'print(socket.if_nameindex()[0][1])',
      'netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); netlink.bind((0, 0))',
      'print("netlink")',
    ].join('\n');
    expect(run(python, '-c', code)).toEqual(ok('8\nchild\npair\ntcp\nlo\nnetlink'));
  });

  it('runs Python multiprocessing with shared semaphores', () => {
    const code = [
      'import multiprocessing as m',
      'with m.get_context("fork").Pool(3) as pool: print(pool.map(abs, [-1, -2, -3]))',
      'value = m.Value("i", 7); print(value.value)',
    ].join('\n');
    expect(run(python, '-c', code)).toEqual(ok('[1, 2, 3]\n7'));
  });

  it('runs Node with worker threads, child processes, sockets and files', () => {
    const code = [
      'const { Worker } = require("worker_threads"), { execFileSync } = require("child_process");',
      'const os = require("os"), fs = require("fs"), net = require("net");',
      'console.log(execFileSync("echo", ["child"]).toString().trim(), Object.keys(os.networkInterfaces())[0]);',
      'fs.writeFileSync("/tmp/f", "file"); console.log(fs.readFileSync("/tmp/f", "utf8"));',
      'const server = net.createServer((s) => s.end("tcp")).listen(0, "127.0.0.1", () =>',
      '  net.connect(server.address().port).on("data", (d) => { console.log(String(d)); server.close();',
      "    new Worker(\"require('worker_threads').parentPort.postMessage('worker')\", { eval: true })",
      '      .on("message", (m) => console.log(m)); }));',
    ].join('\n');
    expect(run(guestNode, '-e', code)).toEqual(ok('child lo\nfile\ntcp\nworker'));
  });
});

describe('calls that the filter refuses', () => {
  const cases: readonly [string, number, readonly (number | string)[]][] = [
    ['unshare', EPERM, [0x1000_0000]],
    ['clone', EPERM, [0x1000_0011, 0, 0, 0, 0]],
    ['clone', EPERM, ['-8446744073441116143', 0, 0, 0, 0]],
    ['clone3', ENOSYS, [0, 0]],
    ['setns', EPERM, [0, 0]],
    ['mount', EPERM, [0, 0, 0, 0, 0]],
    ['fsopen', EPERM, [0, 0]],
    ['open_tree', EPERM, [0, 0, 0]],
    ['pivot_root', EPERM, [0, 0]],
    ['keyctl', EPERM, [0, 0]],
    ['add_key', EPERM, [0, 0, 0, 0, 0]],
    ['bpf', EPERM, [0, 0, 0]],
    ['perf_event_open', EPERM, [0, 0, -1, -1, 0]],
    ['ptrace', EPERM, [0, 0, 0, 0]],
    ['process_vm_readv', EPERM, [1, 0, 0, 0, 0, 0]],
    ['io_uring_setup', EPERM, [1, 0]],
    ['userfaultfd', EPERM, [1]],
    ['open_by_handle_at', EPERM, [0, 0, 0]],
    ['personality', EPERM, [0x004_0000]],
    ['ioctl', EPERM, [0, 0x5412, 0]],
    ['ioctl', EPERM, [0, 0x1_0000_5412, 0]],
  ];
  it.each(cases)('%s fails with errno %i', (call, errno, args) => {
    expect(errnoOf(call, ...args)).toBe(errno);
  });

  const sockets: readonly [string, readonly number[]][] = [
    ['AF_PACKET', [17, 3, 0]],
    ['AF_ALG', [38, 5, 0]],
    ['AF_VSOCK', [40, 1, 0]],
    ['netlink other than route', [16, 3, 9]],
    ['a raw IP socket', [2, 3, 1]],
    ['SCTP', [2, 1, 132]],
  ];
  it.each(sockets)('socket fails with EPERM for %s', (_name, args) => {
    expect(errnoOf('socket', ...args)).toBe(EPERM);
  });

  it('refuses nested user namespaces and mounts to the tools for them', () => {
    expect(run('/usr/bin/unshare', '-U', '/bin/true')).toMatchObject({
      status: 1,
      stderr: 'unshare: unshare failed: Operation not permitted',
    });
    expect(run('/usr/bin/unshare', '-Ur', '/bin/true').status).toBe(1);
    expect(run('/bin/mount', '-t', 'tmpfs', 'none', '/mnt').status).not.toBe(0);
  });

  it('answers ENOSYS for a call that no kernel has', () => {
    const code =
      'import ctypes; c = ctypes.CDLL(None, use_errno=True); c.syscall(9999); print(ctypes.get_errno())';
    expect(run(python, '-c', code)).toEqual(ok(String(ENOSYS)));
  });
});
