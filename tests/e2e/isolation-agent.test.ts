import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AttackedServer,
  answersDuring,
  canaryText,
  type InsideResult,
  startAttackedServer,
} from '../support/attacked-server.ts';
import { healthMs } from '../support/health-ms.ts';
import { revive } from '../support/revive.ts';

let attacked: AttackedServer;
beforeAll(async () => {
  attacked = await startAttackedServer();
});
afterAll(async () => await attacked?.close());

beforeEach(async () => await revive(attacked.attacker));

/** The server answers, the neighbour works, and the attacker can be used again. */
async function expectUnharmed(): Promise<void> {
  expect(await healthMs(attacked.server.address)).toBeLessThan(1_000);
  expect((await attacked.neighbour.run('/bin/echo', ['fine'])).stdout).toEqual(['fine']);
  await revive(attacked.attacker);
}

const sandboxEnded = ({ error }: InsideResult): void =>
  expect(error?.message).toBe("Sandbox 'attacker' ended while the command ran");

describe('the line between the server and the agent', () => {
  it('lets nothing in its directory be made, replaced, moved or changed', async () => {
    const { stdout, stderr } = await attacked.attacker.python(`
os.mkfifo('/workspace/fifo')
say('own fifo', lambda: os.unlink('/workspace/fifo'))
for path in ['/.sandbox/io/x', '/.sandbox/io/7.status', '/.sandbox/kernel/x']:
    say('file', lambda: write(path))
    say('link', lambda: os.symlink('/etc/passwd', path))
    say('fifo', lambda: os.mkfifo(path))
    say('rename', lambda: os.rename('/etc/passwd', path))
say('away', lambda: os.rename('/.sandbox', '/workspace/gone'))
say('exchange', lambda: call('renameat2', -100, b'/.sandbox', -100, b'/workspace', 2))
say('remove', lambda: os.rmdir('/.sandbox/io'))
say('io', lambda: os.rename('/.sandbox/io', '/.sandbox/io2'))
say('kernel', lambda: os.unlink('/.sandbox/kernel/python-kernel.py'))
say('mode', lambda: os.chmod('/.sandbox/io', 0o777))
print(len(open('/etc/passwd').read()) > 0)`);
    const each = ['file: EROFS', 'link: EROFS', 'fifo: EROFS', 'rename: EXDEV'];
    expect(stderr).toEqual([]);
    expect(stdout.filter((line) => !each.includes(line))).toEqual([
      ...[
        'own fifo: ok',
        'away: EBUSY',
        'exchange: EBUSY',
        'remove: EBUSY',
        'io: EBUSY',
        'kernel: EROFS',
      ],
      ...['mode: EROFS', 'True'],
    ]);
  });

  it.each([
    ['nonsense', 'junk\\n'],
    ['a flood without an end', 'x'],
    ['a second process', 'pid 5\\npid 6\\n'],
    ['an exit code that there is not', 'exit 4000\\n'],
    ['the number of the first process', 'pid 1\\n'],
    ['bytes that are no text', '\\xff\\xfe\\n'],
  ])('ends a sandbox that reports %s of its job', async (name, report) => {
    const times = name.startsWith('a flood') ? 100_000 : 1;
    const result = await attacked.attacker.python(`
report = open('/proc/%d/fd/4' % os.getppid(), 'wb', buffering=0)
report.write('${report}'.encode('latin1') * ${times})
time.sleep(30)`);
    sandboxEnded(result);
    await expectUnharmed();
  });

  it('believes a forged exit code for the job that forged it, and for no other', async () => {
    const { attacker, neighbour } = attacked;
    const others = Promise.all([attacker.shell('sleep 0.5; exit 4'), neighbour.shell('exit 5')]);
    const forged = await attacker.python(`
open('/proc/%d/fd/4' % os.getppid(), 'w').write('exit 77\\n')
time.sleep(30)`);
    expect(forged.exitCode).toBe(77);
    expect((await others).map(({ exitCode }) => exitCode)).toEqual([4, 5]);
    await expectUnharmed();
  });

  it("cannot open the agent's own input or the first process's error output", async () => {
    const { stdout } = await attacked.attacker.python(`
for path in ['/proc/1/fd/0', '/proc/2/fd/0', '/proc/1/fd/2']:
    print(os.readlink(path).split(':')[0])
    say('open', lambda: os.open(path, os.O_RDWR | os.O_NONBLOCK) and None)`);
    expect(stdout).toEqual([
      ...['socket', 'open: ENXIO', 'socket', 'open: ENXIO', 'socket', 'open: ENXIO'],
    ]);
  });

  it('ends with the agent when that is killed, and can be started again', async () => {
    const { attacker } = attacked;
    sandboxEnded(await attacker.shell('kill -KILL 2; sleep 30'));
    await expectUnharmed();
  });

  it('gets over an agent that is filled with other code', async () => {
    const { attacker } = attacked;
    const overwrite = attacker.python(
      `
with open('/proc/2/maps') as maps:
    text = next(line for line in maps if 'libc' in line and ' r-xp ' in line).split()[0]
start, end = (int(part, 16) for part in text.split('-'))
with open('/proc/2/mem', 'r+b', buffering=0) as memory:
    memory.seek(start); memory.write(b'\\xcc' * (end - start))
print('overwritten', flush=True)
os.kill(2, signal.SIGCONT)
time.sleep(5)`,
      2,
    );
    const { error } = await overwrite;
    expect(error?.message).toMatch(/ended|timed out/);
    await expectUnharmed();
  });

  it('stops a sandbox whose agent is stopped while code inside answers in its place', async () => {
    const { attacker } = attacked;
    // It shows that the forger would be believed: the command below never ran.
    const forger = `
import os, time, signal, glob
if os.fork(): os._exit(0)
os.setsid()
for fd in (0, 1, 2): os.dup2(os.open('/dev/null', os.O_RDWR), fd)
os.kill(2, signal.SIGSTOP)
held = {}
while True:
    for path in glob.glob('/.sandbox/io/*.status'):
        if path not in held:
            try: held[path] = os.open(path, os.O_WRONLY); os.write(held[path], b'pid 5\\\\n')
            except OSError: pass
    time.sleep(0.005)`;
    await attacker.python(`write('/workspace/forger.py', """${forger}""")
subprocess.run(['python3', '/workspace/forger.py'])
time.sleep(0.3)`);
    const stop = attacker.stop();
    const longest = await answersDuring(attacked, stop);
    expect(longest.healthMs).toBeLessThan(1_000);
    expect(longest.commandMs).toBeLessThan(1_000);
    expect((await stop).body.error.message).toContain('could not be saved');
    await expectUnharmed();
  }, 60_000);

  it.each([
    [
      'python',
      'import os\nfor fd in range(3, 30):\n try: os.write(fd, b"junk\\n" * 20000)\n except OSError: pass',
    ],
    [
      'node',
      'for (let fd = 3; fd < 60; fd++) try { require("fs").writeSync(fd, "junk\\n".repeat(20000)); } catch {}',
    ],
  ] as const)('gets over junk on the report of a %s kernel', async (language, code) => {
    const { attacker } = attacked;
    await attacker.repl(language, code, 5);
    await expectUnharmed();
    const { stdout } = await attacker.repl(
      language,
      language === 'python' ? 'print(6 * 7)' : 'console.log(6 * 7)',
    );
    expect(stdout).toEqual(['42']);
  });

  it('never wrote to, or took away, what is outside', () => {
    expect(readFileSync(attacked.canary, 'utf8')).toBe(canaryText);
    expect(existsSync(attacked.outside)).toBe(true);
  });
});
