import type { EscapeAttempt } from './escape-attempt.ts';

/** Ways to more rights. */
export const privilegeEscapes: readonly EscapeAttempt[] = [
  {
    name: 'capabilities: there are none, and none can be had',
    code: `
status = status_of('self')
for name in ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp']: print(name, status[name])
header = ctypes.create_string_buffer(struct.pack('Ii', 0x20080522, 0))
none = ctypes.create_string_buffer(bytes(24))
every = ctypes.create_string_buffer(struct.pack('6I', *[0xffffffff] * 6))
say('capset, none', lambda: call('capset', header, none))
say('capset, all', lambda: call('capset', header, every))
say('ambient', lambda: call('prctl', 47, 2, 21, 0, 0))
say('keep', lambda: call('prctl', 8, 1, 0, 0, 0))
say('new privileges', lambda: call('prctl', 38, 0, 0, 0, 0))
say('without filter', lambda: call('prctl', 22, 0, 0, 0, 0))`,
    expected: [
      ...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(
        (set) => `${set} ${'0'.repeat(16)}`,
      ),
      ...['NoNewPrivs 1', 'Seccomp 2', 'capset, none: ok', 'capset, all: EPERM', 'ambient: EPERM'],
      ...['keep: ok', 'new privileges: EINVAL', 'without filter: EINVAL'],
    ],
  },
  {
    name: 'becoming root or another user',
    code: `
print(os.getresuid(), os.getresgid(), os.getgroups())
say('setuid, own', lambda: call('setuid', 1000))
for name in ['setuid', 'setgid', 'setfsuid']:
    say(name, lambda: call(name, 0))
say('setreuid', lambda: call('setreuid', 0, 0))
say('setresuid', lambda: call('setresuid', 0, 0, 0))
say('setgroups', lambda: call('setgroups', 0, None))
print(os.getresuid(), os.getresgid())
write('/workspace/own')
say('chown, own', lambda: os.chown('/workspace/own', 1000, 1000))
say('chown', lambda: os.chown('/workspace/own', 0, 0))`,
    expected: [
      '(1000, 1000, 1000) (1000, 1000, 1000) []',
      'setuid, own: ok',
      // Users that the namespace does not know are invalid; setfsuid never reports an error.
      ...['setuid: EINVAL', 'setgid: EINVAL', 'setfsuid: ok', 'setreuid: EINVAL'],
      ...['setresuid: EINVAL', 'setgroups: EPERM', '(1000, 1000, 1000) (1000, 1000, 1000)'],
      ...['chown, own: ok', 'chown: EINVAL'],
    ],
  },
  {
    name: "the host's setuid programs",
    code: `
found = [os.path.join('/usr/bin', name) for name in os.listdir('/usr/bin') if os.path.isfile(os.path.join('/usr/bin', name)) and os.stat(os.path.join('/usr/bin', name)).st_mode & 0o4000]
print('some there', len(found) > 0)
print('nosuid', all(os.statvfs(path).f_flag & os.ST_NOSUID for path in ['/', '/usr', '/tmp', '/dev/shm', '/workspace', '/.sandbox']))
show = 'import os; print(os.geteuid())'
say('own', lambda: subprocess.run(['python3', '-c', show], capture_output=True, text=True).stdout.strip())
run = lambda line: subprocess.run(line, shell=True, capture_output=True, stdin=subprocess.DEVNULL).returncode != 0
say('su', lambda: run('su -c true'))
say('mount', lambda: run('mount -t tmpfs none /tmp'))
say('umount', lambda: run('umount /usr'))
say('passwd', lambda: run('passwd -d root'))
say('newgrp', lambda: run('sg root true'))`,
    expected: [
      ...['some there True', 'nosuid True', 'own: 1000', 'su: True', 'mount: True', 'umount: True'],
      ...['passwd: True', 'newgrp: True'],
    ],
  },
  {
    name: 'a setuid program of its own making',
    code: `
import shutil
shutil.copy('/usr/bin/id', '/workspace/id')
say('chmod', lambda: os.chmod('/workspace/id', 0o6755))
print(subprocess.run(['/workspace/id', '-u'], capture_output=True, text=True).stdout.strip())
say('file capability', lambda: os.setxattr('/workspace/id', 'security.capability', struct.pack('<IIIII', 0x02000001, 0xffffffff, 0, 0xffffffff, 0)))
os.unlink('/workspace/id')`,
    expected: ['chmod: ok', '1000', 'file capability: EPERM'],
  },
  {
    name: 'mapping users into its namespace',
    code: `
print(open('/proc/self/uid_map').read().split()[0], open('/proc/self/uid_map').read().split()[2])
for name in ['uid_map', 'gid_map', 'projid_map', 'setgroups']:
    say(name, lambda: write('/proc/self/' + name, 'allow' if name == 'setgroups' else '0 0 4294967295'))`,
    expected: [
      '1000 1',
      'uid_map: EPERM',
      'gid_map: EPERM',
      'projid_map: EPERM',
      'setgroups: EACCES',
    ],
    otherwise: {
      'util-linux': {
        expected: [
          ...['1000 1', 'uid_map: EPERM', 'gid_map: EPERM', 'projid_map: ok', 'setgroups: EACCES'],
        ],
        reason:
          'Linux lets everybody map project ids, once; they mean nothing but to disk quotas, and ' +
          'bubblewrap has used its turn up with a second namespace',
      },
    },
  },
  {
    name: 'raising its limits, its priority or its place before the out-of-memory killer',
    code: `
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
def limit(kind, value):
    try: resource.setrlimit(kind, (value, value))
    except ValueError: raise OSError(errno.EPERM, '')
say('fewer files', lambda: limit(resource.RLIMIT_NOFILE, hard - 1))
say('more files', lambda: limit(resource.RLIMIT_NOFILE, hard + 1))
say('core', lambda: limit(resource.RLIMIT_CORE, 1))
say('nicer', lambda: os.setpriority(os.PRIO_PROCESS, 0, 5))
say('less nice', lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))
say('real time', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)))
say('killed sooner', lambda: write('/proc/self/oom_score_adj', '900'))
say('never killed', lambda: write('/proc/self/oom_score_adj', '-1000'))
say('lock', lambda: call('mlockall', 3))`,
    expected: [
      ...['fewer files: ok', 'more files: EPERM', 'core: EPERM', 'nicer: ok', 'less nice: EACCES'],
      ...['real time: EPERM', 'killed sooner: ok', 'never killed: EACCES', 'lock: ENOMEM'],
    ],
  },
];
