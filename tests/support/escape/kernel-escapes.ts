import type { EscapeAttempt } from './escape-attempt.ts';

const refusedEach = (names: readonly string[]): readonly string[] =>
  names.map((name) => `${name}: EPERM`);

/** Calls that widen the reach into the kernel. */
export const kernelEscapes: readonly EscapeAttempt[] = [
  {
    name: 'mounting, binding and unmounting',
    code: `
os.makedirs('/tmp/mount', exist_ok=True)
say('directory', lambda: os.stat('/tmp/mount').st_size and None)
say('tmpfs', lambda: call('mount', b'none', b'/tmp/mount', b'tmpfs', 0, None))
say('proc', lambda: call('mount', b'none', b'/tmp/mount', b'proc', 0, None))
say('bind', lambda: call('mount', b'/', b'/tmp/mount', None, 4096, None))
say('writable', lambda: call('mount', None, b'/usr', None, 32 | 4096, None))
say('umount', lambda: call('umount2', b'/.sandbox', 2))
say('pivot_root', lambda: call('pivot_root', b'/tmp', b'/tmp/mount'))
say('chroot', lambda: os.chroot('/tmp'))
say('fsopen', lambda: call('fsopen', b'tmpfs', 0))
say('open_tree', lambda: call('open_tree', -100, b'/usr', 1))
say('move_mount', lambda: call('move_mount', -100, b'/usr', -100, b'/tmp/mount', 0))
say('mount_setattr', lambda: call('mount_setattr', -100, b'/usr', 0, ctypes.create_string_buffer(32), 32))`,
    expected: [
      'directory: ok',
      ...refusedEach([
        ...['tmpfs', 'proc', 'bind', 'writable', 'umount', 'pivot_root', 'chroot'],
        ...['fsopen', 'open_tree', 'move_mount', 'mount_setattr'],
      ]),
    ],
  },
  {
    name: 'new namespaces, by unshare, clone and clone3',
    code: `
kinds = {'user': 0x10000000, 'mnt': 0x20000, 'pid': 0x20000000, 'net': 0x40000000, 'ipc': 0x8000000, 'uts': 0x4000000, 'cgroup': 0x2000000, 'time': 0x80}
def clone(flags):
    ctypes.set_errno(0)
    pid = libc.syscall(ctypes.c_long(numbers['clone']), ctypes.c_long(flags | signal.SIGCHLD), None, None, None, None)
    if pid == 0: os._exit(0)
    if pid < 0: raise OSError(ctypes.get_errno(), '')
    os.waitpid(pid, 0)
say('clone', lambda: clone(0))
for kind, flag in kinds.items():
    say('unshare ' + kind, lambda: call('unshare', flag))
    if kind != 'time': say('clone ' + kind, lambda: clone(flag))
say('clone3', lambda: call('clone3', ctypes.create_string_buffer(struct.pack('11Q', 0x10000000, *[0] * 10)), 88))`,
    expected: [
      'clone: ok',
      ...['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'].flatMap((kind) => [
        `unshare ${kind}: EPERM`,
        `clone ${kind}: EPERM`,
      ]),
      'unshare time: EPERM',
      'clone3: ENOSYS',
    ],
  },
  {
    name: 'keyrings',
    code: `
say('session', lambda: call('keyctl', 0, -3, 1))
say('user session', lambda: call('keyctl', 0, -5, 1))
say('add_key', lambda: call('add_key', b'user', b'name', b'text', 4, -2))
say('request_key', lambda: call('request_key', b'user', b'name', None, -2))`,
    expected: refusedEach(['session', 'user session', 'add_key', 'request_key']),
    differsOutside: true,
  },
  {
    name: 'programs in the kernel, counters and rings',
    code: `
say('bpf', lambda: call('bpf', 0, ctypes.create_string_buffer(struct.pack('5I', 2, 4, 4, 1, 0) + bytes(100)), 72))
attributes = ctypes.create_string_buffer(struct.pack('IIQ', 1, 112, 0) + bytes(24) + struct.pack('Q', 0x61) + bytes(72))
say('perf_event_open', lambda: call('perf_event_open', attributes, 0, -1, -1, 0))
say('io_uring_setup', lambda: call('io_uring_setup', 4, ctypes.create_string_buffer(120)))
say('userfaultfd', lambda: call('userfaultfd', 1))
say('fanotify_init', lambda: call('fanotify_init', 0x200, 0))`,
    expected: refusedEach([
      ...['bpf', 'perf_event_open', 'io_uring_setup', 'userfaultfd', 'fanotify_init'],
    ]),
    differsOutside: true,
  },
  {
    name: 'modules, another kernel, restarts and swap',
    // Each is made so that it fails also where it is permitted.
    code: `
say('init_module', lambda: call('init_module', None, 0, b''))
say('finit_module', lambda: call('finit_module', -1, b'', 0))
say('delete_module', lambda: call('delete_module', b'no_such_module', 0))
say('kexec_load', lambda: call('kexec_load', 0, 1 << 20, None, 0))
say('kexec_file_load', lambda: call('kexec_file_load', -1, -1, 0, b'', 0))
say('reboot', lambda: call('reboot', 1, 2, 3, None))
say('swapon', lambda: call('swapon', b'/no/such/file', 0))
say('acct', lambda: call('acct', b'/no/such/file'))`,
    expected: refusedEach([
      ...['init_module', 'finit_module', 'delete_module', 'kexec_load', 'kexec_file_load'],
      ...['reboot', 'swapon', 'acct'],
    ]),
  },
  {
    name: "the host's clock, name, log and hardware",
    code: `
say('clock_settime', lambda: call('clock_settime', 0, ctypes.create_string_buffer(struct.pack('qq', -1, -1))))
say('settimeofday', lambda: call('settimeofday', ctypes.create_string_buffer(struct.pack('qq', -1, -1)), None))
say('sethostname', lambda: call('sethostname', b'other', 5))
say('syslog', lambda: call('syslog', 3, ctypes.create_string_buffer(64), 64))
say('personality', lambda: call('personality', 0x0040000))
say('quotactl', lambda: call('quotactl', 0x800007, b'/dev/vda', 0, ctypes.create_string_buffer(128)))
if 'iopl' in numbers: say('iopl', lambda: call('iopl', 3))
else: print('iopl: EPERM')`,
    expected: refusedEach([
      ...['clock_settime', 'settimeofday', 'sethostname', 'syslog', 'personality', 'quotactl'],
      'iopl',
    ]),
  },
  {
    name: 'calls by the numbers of another architecture',
    // Each runs in a child, as the filter may end it: then its exit code is minus the signal.
    code: `
if os.uname().machine == 'x86_64':
    x32 = 'import ctypes; libc = ctypes.CDLL(None, use_errno=True); result = libc.syscall(ctypes.c_long(0x40000000 | %d), ctypes.c_long(0)); print(result, ctypes.get_errno())'
    for label, number in [('getpid', 39), ('mount', 165), ('unshare', 272)]:
        child = subprocess.run(['python3', '-c', x32 % number], capture_output=True, text=True)
        print('x32', label, child.stdout.strip() in ('-1 1', '-1 38') or child.returncode == -31)
    # mov eax, 20 (getpid of i386); int 0x80; ret
    i386 = 'import ctypes, mmap; page = mmap.mmap(-1, 4096, prot=7); page.write(bytes.fromhex(%r)); run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page))); print(run())'
    plain = subprocess.run(['python3', '-c', i386 % 'b807000000c3'], capture_output=True, text=True)
    print('code runs', plain.stdout.strip())
    child = subprocess.run(['python3', '-c', i386 % 'b814000000cd80c3'], capture_output=True, text=True)
    print('i386 getpid', child.returncode < 0 or child.stdout.strip() in ('-38', '-1'))
else: print('x32 getpid True\\nx32 mount True\\nx32 unshare True\\ncode runs 7\\ni386 getpid True')`,
    expected: [
      ...['x32 getpid True', 'x32 mount True', 'x32 unshare True', 'code runs 7'],
      'i386 getpid True',
    ],
  },
];
