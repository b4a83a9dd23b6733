import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { EscapeAttempt } from './escape-attempt.ts';

const quoted = (text: string): string => JSON.stringify(text);
const repository = join(import.meta.dirname, '../../..');

const kernelSettings = [
  ...['core_pattern', 'modprobe', 'hostname'].map((name) => `/proc/sys/kernel/${name}`),
  ...['/proc/sys/vm/overcommit_memory', '/proc/sys/fs/file-max', '/proc/sysrq-trigger'],
  '/proc/irq/default_smp_affinity',
];
const kernelMemory = ['/proc/kcore', '/proc/kmsg', '/proc/kpageflags'];

/** Not every kernel is built with all of them. */
const refusedWhereItIs = (path: string): string =>
  `${path}: ${existsSync(path) ? 'EACCES' : 'ENOENT'}`;

/** Ways to files that are not the sandbox's own. */
export const fileEscapes: readonly EscapeAttempt[] = [
  {
    name: 'a file of the host, by its path',
    code: ({ canary }) => `
write('/workspace/own')
say('own', lambda: read('/workspace/own'))
say('canary', lambda: read(${quoted(canary)}))
say('its folder', lambda: os.listdir(os.path.dirname(${quoted(canary)})))
say('the repository', lambda: os.listdir(${quoted(repository)}))`,
    expected: ['own: ok', 'canary: ENOENT', 'its folder: ENOENT', 'the repository: ENOENT'],
  },
  {
    name: "the host's accounts and configuration",
    code: `
print(open('/etc/passwd').read().strip())
for name in ['shadow', 'gshadow', 'sudoers', 'ssh', 'fstab', 'machine-id', 'environment', 'crontab', 'krb5.keytab']:
    say(name, lambda: os.stat('/etc/' + name))`,
    expected: [
      'sandbox:x:1000:1000:sandbox:/home/sandbox:/bin/sh',
      ...['shadow', 'gshadow', 'sudoers', 'ssh', 'fstab', 'machine-id', 'environment'].map(
        (name) => `${name}: ENOENT`,
      ),
      'crontab: ENOENT',
      'krb5.keytab: ENOENT',
    ],
  },
  {
    name: "directories of the host's users and services",
    code: `
say('/home', lambda: os.listdir('/home'))
for path in ['/root', ${quoted(homedir())}, '/var', '/run', '/var/run/docker.sock', '/sys', '/boot', '/srv', '/mnt', '/media', '/lost+found', '/work']:
    say(path, lambda: os.stat(path))`,
    expected: [
      "/home: ['sandbox']",
      ...[
        ...['/root', homedir(), '/var', '/run', '/var/run/docker.sock', '/sys', '/boot', '/srv'],
        ...['/mnt', '/media', '/lost+found', '/work'],
      ].map((path) => `${path}: ENOENT`),
    ],
  },
  {
    name: "the server's home: database, keys, log, layers",
    code: ({ server }) => `
for name in ['', 'sandgate.db', 'sandgate.db-wal', 'server.key', 'environment.key', 'layers', 'run', 'control.sock']:
    say(name, lambda: os.stat(os.path.join(${quoted(server.home)}, name)))`,
    expected: [
      '',
      'sandgate.db',
      'sandgate.db-wal',
      'server.key',
      'environment.key',
      'layers',
      'run',
      'control.sock',
    ].map((name) => `${name}: ENOENT`),
  },
  {
    name: 'the host through /proc/PID/root and /proc/PID/cwd',
    code: ({ canary }) => `
root = os.stat('/')
for pid in ['self', '1', agent_pid]:
    here = os.stat('/proc/%s/root/' % pid)
    print('same root', (here.st_dev, here.st_ino) == (root.st_dev, root.st_ino))
    say('canary', lambda: read('/proc/%s/root%s' % (pid, ${quoted(canary)})))
    say('above', lambda: read('/proc/%s/cwd/../../../../../..%s' % (pid, ${quoted(canary)})))`,
    expected: ['self', 'first', 'agent'].flatMap(() => [
      'same root True',
      'canary: ENOENT',
      'above: ENOENT',
    ]),
  },
  {
    name: 'the host through ".." above the root and an open directory',
    code: ({ canary }) => `
write('/workspace/own')
say('own', lambda: read('/workspace/../../../../workspace/own'))
say('canary', lambda: read('/..' * 40 + ${quoted(canary)}))
root = os.open('/', os.O_RDONLY)
say('openat', lambda: os.close(os.open('..' + ${quoted(canary)}, os.O_RDONLY, dir_fd=root)))
os.fchdir(root)
say('up', lambda: os.chdir('../../..'))
print(os.getcwd())`,
    expected: ['own: ok', 'canary: ENOENT', 'openat: ENOENT', 'up: ok', '/'],
  },
  {
    name: 'a link of its own to a file of the host',
    code: ({ canary }) => `
write('/workspace/own')
os.symlink('/workspace/own', '/workspace/good')
say('good', lambda: read('/workspace/good'))
os.symlink(${quoted(canary)}, '/workspace/bad')
say('bad', lambda: read('/workspace/bad'))
say('hard, own', lambda: os.link('/workspace/own', '/workspace/hard'))
say('hard, canary', lambda: os.link(${quoted(canary)}, '/workspace/stolen'))
say('hard, system', lambda: os.link('/usr/bin/env', '/workspace/env'))
for name in ['own', 'good', 'bad', 'hard']: os.unlink('/workspace/' + name)`,
    expected: [
      ...['good: ok', 'bad: ENOENT', 'hard, own: ok', 'hard, canary: ENOENT'],
      'hard, system: EXDEV',
    ],
  },
  {
    name: 'a file by its handle instead of its path',
    code: `
write('/workspace/own')
say('path', lambda: read('/workspace/own'))
handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128))
mount = ctypes.c_int()
directory = os.open('/usr', os.O_RDONLY)
say('name_to_handle_at', lambda: call('name_to_handle_at', directory, b'bin', handle, ctypes.byref(mount), 0))
# The root of an ext4 file system is inode 2, generation 0, handle type 1.
root = ctypes.create_string_buffer(struct.pack('IiII', 8, 1, 2, 0))
say('open_by_handle_at', lambda: call('open_by_handle_at', directory, root, os.O_RDONLY))`,
    expected: ['path: ok', 'name_to_handle_at: EPERM', 'open_by_handle_at: EPERM'],
  },
  {
    name: "writing to the system's programs, libraries and the kernels' scripts",
    code: `
say('/workspace', lambda: write('/workspace/own'))
for path in ['/usr/x', '/usr/bin/env', '/bin/x', '/lib/x', '/etc/ssl/certs/x', '/opt/node/bin/node', '/.sandbox/io/x', '/.sandbox/kernel/python-kernel.py']:
    say(path, lambda: write(path))
say('chmod', lambda: os.chmod('/usr/bin/env', 0o777))
say('unlink', lambda: os.unlink('/usr/bin/env'))
say('rename over', lambda: os.rename('/workspace/own', '/opt/node/bin/node'))
say('truncate', lambda: os.truncate('/usr/bin/env', 0))`,
    expected: [
      '/workspace: ok',
      ...[
        '/usr/x',
        '/usr/bin/env',
        '/bin/x',
        '/lib/x',
        '/etc/ssl/certs/x',
        '/opt/node/bin/node',
      ].map((path) => `${path}: EROFS`),
      '/.sandbox/io/x: EROFS',
      '/.sandbox/kernel/python-kernel.py: EROFS',
      ...['chmod: EROFS', 'unlink: EROFS', 'rename over: EBUSY', 'truncate: EACCES'],
    ],
  },
  {
    name: 'settings of the kernel under /proc and /sys',
    code: `
say('read', lambda: read('/proc/sys/kernel/ostype'))
for path in ${JSON.stringify(kernelSettings)}:
    say(path, lambda: write(path, '0'))
say('/sys', lambda: os.listdir('/sys'))
for path in ${JSON.stringify(kernelMemory)}:
    say(path, lambda: read(path))`,
    expected: [
      'read: ok',
      ...kernelSettings.map(refusedWhereItIs),
      '/sys: ENOENT',
      ...kernelMemory.map(refusedWhereItIs),
    ],
  },
  {
    name: 'control groups: none is there to write to, and none can be mounted',
    code: `
print([line for line in open('/proc/mounts') if 'cgroup' in line])
say('/sys/fs/cgroup', lambda: os.listdir('/sys/fs/cgroup'))
print(sorted({line.strip().split(':', 2)[2] for line in open('/proc/self/cgroup')}))
os.makedirs('/tmp/group', exist_ok=True)
for kind in [b'cgroup', b'cgroup2']:
    say('mount', lambda: call('mount', b'none', b'/tmp/group', kind, 0, b'memory' if kind == b'cgroup' else None))`,
    expected: ['[]', '/sys/fs/cgroup: ENOENT', "['/']", 'mount: EPERM', 'mount: EPERM'],
  },
  {
    name: "the server's environment",
    code: `
found = []
for pid in [entry for entry in os.listdir('/proc') if entry.isdigit()]:
    for name in ['environ', 'cmdline']:
        try: found += [(pid, name)] if b'canary-of-the-' + b'host' in open('/proc/%s/%s' % (pid, name), 'rb').read() else []
        except OSError: pass
print('canary in', found)
print('own', 'HOME' in os.environ, 'SANDGATE_TEST_CANARY' in os.environ)
names = {entry.split(b'=')[0].decode() for entry in open('/proc/1/environ', 'rb').read().split(b'\\0')}
print('first process', sorted(names - {'', 'PATH', 'PWD', 'SHLVL', '_', 'OLDPWD', 'HOME', 'LANG', 'USER'}))`,
    expected: ['canary in []', 'own True False', 'first process []'],
  },
];
