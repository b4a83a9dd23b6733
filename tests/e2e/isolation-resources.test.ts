import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AttackedServer,
  answersDuring,
  insideOf,
  type SandboxInside,
  startAttackedServer,
} from '../support/attacked-server.ts';
import { revive } from '../support/revive.ts';

let attacked: AttackedServer;
beforeAll(async () => {
  attacked = await startAttackedServer();
});
afterAll(async () => await attacked?.close());
/** A new one for each attack, since what one leaves on the disk would slow down the next. */
let target: SandboxInside;
let targets = 0;
beforeEach(async () => {
  target = insideOf(attacked.server, `target-${targets++}`);
  await revive(target, { image: 'microsandbox/python', memory: 256, cpus: 1 });
});
/** Not stopped: to save once more what an attack left takes as long as the attack. */
afterEach(async () => {
  const { address, firstKey } = attacked.server;
  const { status } = await fetch(`${address}/api/v1/sandboxes/${target.name}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${firstKey}` },
  });
  expect(status).toBe(200);
});

/** An attack is over when its call is answered; its timeout sees to that. */
const attackSeconds = 2;
/** Of one that takes more for as long as it lasts: the others have all that they can get within half a second. */
const growingSeconds = 3;

/** Everybody else is answered within a second while it runs; then the sandbox starts again. */
async function expectOthersServedDuring(
  attack: Promise<unknown>,
  commandWithinMs = 1_000,
): Promise<void> {
  const longest = await answersDuring(attacked, attack);
  expect(longest.rounds).toBeGreaterThan(1);
  expect(longest.healthMs).toBeLessThan(1_000);
  expect(longest.commandMs).toBeLessThan(commandWithinMs);
  const stopping = target.stop();
  const whileStopping = await answersDuring(attacked, stopping);
  expect(whileStopping.healthMs).toBeLessThan(1_000);
  expect(whileStopping.commandMs).toBeLessThan(1_000);
  await revive(target);
}

/** Sends a command and takes its answer without looking at it; the length of the answer in bytes. */
function drain(command: string): Promise<number> {
  const { address, firstKey } = attacked.server;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${firstKey}` };
    const call = request(`${address}/api/v1/rpc`, { method: 'POST', headers }, (response) => {
      let bytes = 0;
      response.on('data', (data: Buffer) => {
        bytes += data.length;
      });
      response.once('end', () => resolve(bytes));
    });
    call.once('error', reject);
    const params = {
      sandbox: target.name,
      command: '/bin/sh',
      args: ['-c', command],
      timeout: attackSeconds,
    };
    call.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'sandbox.command.run', params }));
  });
}

describe('while a sandbox takes all that it can get, others are served', () => {
  it.each([
    ['a fork bomb', 'bomb() { bomb | bomb & }; bomb; exec sleep 30'],
    [
      'a fork bomb of groups and sessions of their own',
      'printf "setsid sh /tmp/b & setsid sh /tmp/b & sleep 30" >/tmp/b; sh /tmp/b; exec sleep 30',
    ],
    [
      'processes without an end of the work',
      'for i in $(seq 200); do (while :; do :; done) & done; sleep 30',
    ],
    [
      'a disk filled in /',
      'for i in $(seq 20); do head -c 100000000 /dev/zero >/fill$i; done; sleep 30',
    ],
    [
      'a disk filled in /workspace',
      'for i in $(seq 20); do head -c 100000000 /dev/zero >fill$i; done; sleep 30',
    ],
    ['a disk filled in /tmp', 'cat /dev/zero >/tmp/fill; sleep 30'],
    ['a disk filled in /dev/shm', 'cat /dev/zero >/dev/shm/fill; sleep 30'],
  ])('%s', async (_, command) => {
    await expectOthersServedDuring(target.shell(command, attackSeconds));
  });

  it.each([
    ['a memory bomb', 'kept = []\nwhile True: kept.append(bytearray(os.urandom(1) * 10_000_000))'],
    [
      'memory that no process seems to have',
      'while True: os.ftruncate(file := os.memfd_create("x"), 1 << 26); os.pwrite(file, b"x" * (1 << 26), 0)',
    ],
    [
      '100,000 children that nobody waits for',
      'for child in range(100_000):\n try:\n  if os.fork() == 0: os._exit(0)\n except BlockingIOError: pass\ntime.sleep(30)',
    ],
    [
      'every file descriptor, in many processes',
      'for child in range(100):\n try: pid = os.fork()\n except BlockingIOError: break\n if pid == 0: break\nkept = []\nwhile True:\n try: kept.append(socket.socketpair())\n except OSError: time.sleep(0.1)',
    ],
    [
      'pipes and sockets full of data',
      'kept = []\nwhile True:\n try:\n  pair = socket.socketpair(); pair[0].setblocking(False); kept.append(pair)\n  while True: pair[0].send(bytes(65536))\n except OSError: pass',
    ],
  ])('%s', async (_, code) => {
    await expectOthersServedDuring(target.python(code, attackSeconds));
  });

  it('so many small files that inodes run out', async () => {
    const code =
      'for folder in range(10**6):\n os.mkdir("/workspace/%d" % folder)\n for file in range(1000): os.close(os.open("/workspace/%d/%d" % (folder, file), os.O_CREAT))';
    await expectOthersServedDuring(target.python(code, growingSeconds));
  });

  it.each([
    ['output without an end', 'yes'],
    ['empty lines without an end', 'yes ""'],
    ['empty lines on both streams', 'yes "" >&2 & yes ""'],
    ['zeros without an end of the line', 'cat /dev/zero'],
    ['random bytes', 'cat /dev/urandom'],
  ])('%s', async (_, command) => {
    const flood = drain(command);
    await expectOthersServedDuring(flood);
    expect(await flood).toBeLessThan(32 * 1_048_576);
  });

  it('calls as many as a client can send', async () => {
    const calls = Array.from({ length: 400 }, () => target.shell('sleep 2', 10));
    // These are calls of a client, and not a sandbox's doing: a burst of them shares the one thread
    // that answers everybody, and is over when they are read and refused or started.
    await expectOthersServedDuring(Promise.all(calls), 5_000);
  });

  it('deep directories, and keeps all but those that no path reaches', async () => {
    await target.shell('echo kept >/workspace/kept');
    const dig = 'for _ in range(20_000): os.mkdir("d" * 200); os.chdir("d" * 200)';
    await expectOthersServedDuring(target.python(dig, growingSeconds));
    await revive(target);
    const look = 'cat kept; find . -name "ddd*" -printf "%d\\n" | tail -n 1';
    expect((await target.shell(look)).stdout).toEqual(['kept', '19']);
    const { address, firstKey } = attacked.server;
    const log = await fetch(`${address}/api/v1/sandboxes/${target.name}/logs`, {
      headers: { authorization: `Bearer ${firstKey}` },
    });
    expect(await log.text()).toContain('more than 4000 bytes was not kept');
  });

  it('keeps what was saved when the disk of a later run is too full to save it', async () => {
    const attacker = target;
    await attacker.shell('echo kept >/workspace/kept');
    await attacker.stop();
    await revive(attacker);
    await attacker.shell('echo changed >/workspace/kept; cat /dev/zero >/workspace/fill', 2);
    await attacker.stop();
    await revive(attacker);
    expect((await attacker.shell('cat /workspace/kept')).stdout).toEqual([
      expect.stringMatching(/^(kept|changed)$/),
    ]);
  });
});
