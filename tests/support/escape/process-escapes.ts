import type { EscapeAttempt } from './escape-attempt.ts';

/** Ways to processes that are not the sandbox's own. */
export const processEscapes: readonly EscapeAttempt[] = [
  {
    name: 'seeing processes of the host',
    code: ({ server }) => `
pids = sorted(int(entry) for entry in os.listdir('/proc') if entry.isdigit())
print('own', os.getpid() in pids, 'few', len(pids) < 20)
say('server', lambda: os.stat('/proc/${server.process.pid}'))
say('the server of these tests', lambda: os.stat('/proc/${process.pid}'))
names = {open('/proc/%d/comm' % pid).read().strip() for pid in pids}
print(sorted(names - {'bwrap', 'sh', 'dash', 'python3', 'python3.11', 'python', 'setpriv', 'unshare'}))`,
    expected: ['own True few True', 'server: ENOENT', 'the server of these tests: ENOENT', '[]'],
  },
  {
    name: 'sending signals to the server',
    code: ({ server }) => `
child = subprocess.Popen(['sleep', '60'])
say('own', lambda: os.kill(child.pid, 0))
say('server', lambda: os.kill(${server.process.pid}, signal.SIGKILL))
say('its group', lambda: os.killpg(${server.process.pid}, signal.SIGKILL))
say('pidfd', lambda: call('pidfd_open', ${server.process.pid}, 0))
say('own pidfd', lambda: call('pidfd_open', child.pid, 0))
child.kill()`,
    expected: ['own: ok', 'server: ESRCH', 'its group: ESRCH', 'pidfd: ESRCH', 'own pidfd: ok'],
  },
  {
    name: "seeing a neighbour's processes",
    code: async ({ neighbour }) => {
      await neighbour.shell('sleep 98765 </dev/null >/dev/null 2>&1 &');
      return `
child = subprocess.Popen(['sleep', '43210'])
time.sleep(0.1)
lines = [open('/proc/%s/cmdline' % entry, 'rb').read() for entry in os.listdir('/proc') if entry.isdigit()]
print('own', any(b'43210' in line for line in lines), 'neighbour', any(b'987' + b'65' in line for line in lines))
child.kill()`;
    },
    expected: ['own True neighbour False'],
  },
  {
    name: "reading a neighbour's files",
    code: async ({ neighbour }) => {
      await neighbour.shell(
        'for d in /tmp /workspace /dev/shm /home/sandbox; do echo x >$d/theirs; done',
      );
      return `
for directory in ['/tmp', '/workspace', '/dev/shm', '/home/sandbox']:
    write(directory + '/ours')
    say('ours', lambda: read(directory + '/ours'))
    say('theirs', lambda: read(directory + '/theirs'))
    os.unlink(directory + '/ours')`;
    },
    expected: ['/tmp', '/workspace', '/dev/shm', '/home'].flatMap(() => [
      'ours: ok',
      'theirs: ENOENT',
    ]),
  },
  {
    name: "reaching a neighbour's shared memory, message queues and abstract sockets",
    code: async ({ neighbour }) => {
      await neighbour.repl(
        'python',
        `
import ctypes, socket
libc = ctypes.CDLL(None)
for make in [libc.shmget, libc.semget]: print(make(0x5a6d, 1, 0o1777) >= 0)
print(libc.msgget(0x5a6d, 0o1777) >= 0)
theirs = socket.socket(socket.AF_UNIX); theirs.bind(b'\\0theirs'); theirs.listen()`,
      );
      return `
def get(name, key, *more):
    if getattr(libc, name)(key, *more) < 0: raise OSError(ctypes.get_errno(), '')
def connect(name):
    with socket.socket(socket.AF_UNIX) as client: client.connect(name)
say('own shm', lambda: get('shmget', 0x5a6e, 1, 0o1600))
say('shm', lambda: get('shmget', 0x5a6d, 1, 0o600))
say('sem', lambda: get('semget', 0x5a6d, 1, 0o600))
say('msg', lambda: get('msgget', 0x5a6d, 0o600))
ours = socket.socket(socket.AF_UNIX); ours.bind(b'\\0ours'); ours.listen()
say('own socket', lambda: connect(b'\\0ours'))
say('their socket', lambda: connect(b'\\0theirs'))`;
    },
    expected: [
      ...['own shm: ok', 'shm: ENOENT', 'sem: ENOENT', 'msg: ENOENT'],
      ...['own socket: ok', 'their socket: ECONNREFUSED'],
    ],
  },
  {
    name: "a neighbour's I/O directory, or anything beside the own one",
    code: `
print(sorted(os.listdir('/.sandbox')))
say('beside', lambda: os.stat('/.sandbox/../../sandboxes'))
say('fifos', lambda: os.stat('/.sandbox/../fifos'))
print(sorted(entry for entry in os.listdir('/.sandbox/..') if entry in ('sandboxes', 'fifos', 'layers', 'guest')))`,
    expected: ["['io', 'kernel', 'scripts']", 'beside: ENOENT', 'fifos: ENOENT', '[]'],
  },
  {
    name: 'ptrace and the memory of another process',
    code: `
child = subprocess.Popen(['sleep', '60'])
say('signal', lambda: os.kill(child.pid, 0))
say('attach', lambda: call('ptrace', 16, child.pid, 0, 0))
say('seize', lambda: call('ptrace', 0x4206, child.pid, 0, 0))
buffer = ctypes.create_string_buffer(8)
vector = ctypes.create_string_buffer(struct.pack('QQ', ctypes.addressof(buffer), 8))
for name in ['process_vm_readv', 'process_vm_writev']:
    say(name, lambda: call(name, os.getpid(), vector, 1, vector, 1, 0))
say('kcmp', lambda: call('kcmp', os.getpid(), child.pid, 0, 0, 0))
pidfd = os.pidfd_open(child.pid)
say('pidfd_getfd', lambda: call('pidfd_getfd', pidfd, 0, 0))
child.kill()`,
    expected: [
      ...['signal: ok', 'attach: EPERM', 'seize: EPERM', 'process_vm_readv: EPERM'],
      ...['process_vm_writev: EPERM', 'kcmp: EPERM', 'pidfd_getfd: EPERM'],
    ],
  },
  {
    name: 'gaining anything by taking over the first process',
    code: `
say('its memory', lambda: open('/proc/1/mem', 'rb').close())
status = status_of(1)
print('user', status['Uid'].split(), 'filter', status['Seccomp'], 'no new privileges', status['NoNewPrivs'])
print(sorted({status[name] for name in ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']}))
for kind in ['user', 'pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup']:
    print(kind, os.readlink('/proc/1/ns/' + kind) == os.readlink('/proc/self/ns/' + kind))`,
    expected: [
      'its memory: ok',
      "user ['1000', '1000', '1000', '1000'] filter 2 no new privileges 1",
      "['0000000000000000']",
      ...['user', 'pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup'].map((kind) => `${kind} True`),
    ],
  },
  {
    name: 'entering namespaces',
    code: `
for kind in ['user', 'pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup']:
    file = os.open('/proc/1/ns/' + kind, os.O_RDONLY)
    say(kind, lambda: call('setns', file, 0))
say('by process', lambda: call('setns', os.pidfd_open(1), 0x10000000))`,
    expected: [
      ...['user', 'pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup'].map((kind) => `${kind}: EPERM`),
      'by process: EPERM',
    ],
  },
];
