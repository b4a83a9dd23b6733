import type { EscapeAttempt } from './escape-attempt.ts';

/** Ways to devices and terminals. */
export const deviceEscapes: readonly EscapeAttempt[] = [
  {
    name: "the host's devices",
    code: `
# core leads to /proc/kcore, which nobody inside may read.
print(sorted(set(os.listdir('/dev')) - {'core'}))
say('null', lambda: write('/dev/null'))
for name in ['sda', 'vda', 'nvme0n1', 'mem', 'kmem', 'port', 'kmsg', 'fuse', 'kvm', 'loop-control', 'loop0', 'console', 'net', 'vhost-vsock', 'uinput', 'mapper']:
    say(name, lambda: os.stat('/dev/' + name))`,
    expected: [
      "['fd', 'full', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'tty', 'urandom', 'zero']",
      'null: ok',
      ...[
        ...['sda', 'vda', 'nvme0n1', 'mem', 'kmem', 'port', 'kmsg', 'fuse', 'kvm', 'loop-control'],
        ...['loop0', 'console', 'net', 'vhost-vsock', 'uinput', 'mapper'],
      ].map((name) => `${name}: ENOENT`),
    ],
  },
  {
    name: 'making device nodes',
    code: `
import stat
say('fifo', lambda: os.mkfifo('/workspace/fifo'))
say('regular', lambda: os.mknod('/workspace/regular', stat.S_IFREG | 0o600))
for label, kind, major, minor in [('disk', stat.S_IFBLK, 8, 0), ('mem', stat.S_IFCHR, 1, 1), ('kvm', stat.S_IFCHR, 10, 232), ('null', stat.S_IFCHR, 1, 3)]:
    say(label, lambda: os.mknod('/workspace/' + label, kind | 0o666, os.makedev(major, minor)))
say('in /dev', lambda: os.mkfifo('/dev/fifo'))
say('nodev', lambda: bool(os.statvfs('/').f_flag & os.ST_NODEV and os.statvfs('/tmp').f_flag & os.ST_NODEV and os.statvfs('/dev/shm').f_flag & os.ST_NODEV))
os.unlink('/workspace/fifo'); os.unlink('/workspace/regular')`,
    expected: [
      ...['fifo: ok', 'regular: ok', 'disk: EPERM', 'mem: EPERM', 'kvm: EPERM', 'null: EPERM'],
      ...['in /dev: EROFS', 'nodev: True'],
    ],
  },
  {
    name: "typing into a terminal, and the server's terminal",
    code: `
import fcntl, pty
say('the terminal of the server', lambda: os.open('/dev/tty', os.O_RDWR))
own, other = pty.openpty()
say('own terminal', lambda: os.write(own, b'x') and None)
os.setsid() if os.getpid() != os.getsid(0) else None
say('controlling', lambda: fcntl.ioctl(other, 0x540e, 0) or None)
say('TIOCSTI', lambda: fcntl.ioctl(other, 0x5412, b'x') and None)
say('TIOCSTI with high bits', lambda: call('ioctl', other, 0x100005412, b'x'))
say('TIOCLINUX', lambda: fcntl.ioctl(other, 0x541c, b'\\3') and None)`,
    expected: [
      ...['the terminal of the server: ENXIO', 'own terminal: ok', 'controlling: ok'],
      ...['TIOCSTI: EPERM', 'TIOCSTI with high bits: EPERM', 'TIOCLINUX: EPERM'],
    ],
  },
];
