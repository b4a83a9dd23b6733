import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AttackedServer,
  canaryText,
  insideOf,
  type ServerUser,
  startAttackedServer,
} from '../support/attacked-server.ts';
import { healthMs } from '../support/health-ms.ts';

let names = 0;

/** Keeps the agent still, and sends an archive of its own making in place of the layer's. */
const forgeArchive = (members: string): string => `
import glob, io, tarfile
archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode='w', format=tarfile.GNU_FORMAT) as tar:
    def add(name, kind=tarfile.REGTYPE, link='', mode=0o4777, text=b'forged', device=(0, 0)):
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.mode = kind, link, mode
        member.devmajor, member.devminor = device
        member.size = len(text) if kind == tarfile.REGTYPE else 0
        tar.addfile(member, io.BytesIO(text))
${members.replaceAll(/^/gm, '    ')}
if os.fork(): os._exit(0)
os.setsid()
for fd in (0, 1, 2): os.dup2(os.open('/dev/null', os.O_RDWR), fd)
os.kill(agent_pid, signal.SIGSTOP)
while not glob.glob('/.sandbox/io/*.status') or not glob.glob('/.sandbox/io/*.out'): time.sleep(0.005)
time.sleep(0.05)
status = open(glob.glob('/.sandbox/io/*.status')[0], 'wb', buffering=0)
out = open(glob.glob('/.sandbox/io/*.out')[0], 'wb')
error = open(glob.glob('/.sandbox/io/*.err')[0], 'wb')
status.write(b'pid 5\\n')
out.write(archive.getvalue()); out.close(); error.close()
status.write(b'exit 0\\n'); status.close()`;

describe.each<[ServerUser]>([['own'], ['ordinary']])(
  'a layer, of a server that runs as its %s user',
  (user) => {
    let attacked: AttackedServer;
    beforeAll(async () => {
      attacked = await startAttackedServer({ user });
    });
    afterAll(async () => await attacked?.close());

    const fresh = async () => {
      const inside = insideOf(attacked.server, `layer-${names++}`);
      await inside.start();
      return inside;
    };

    const expectHostUnharmed = async (): Promise<void> => {
      const { canary, outside, neighbour, server } = attacked;
      expect(readFileSync(canary, 'utf8')).toBe(canaryText);
      expect(readdirSync(outside)).toEqual(['canary']);
      expect(existsSync('/forged')).toBe(false);
      expect(existsSync('/tmp/forged')).toBe(false);
      expect(
        readdirSync(join(server.home, 'layers')).every((name) => /^[0-9a-f]{24}\.tar$/.test(name)),
      ).toBe(true);
      expect(await healthMs(server.address)).toBeLessThan(1_000);
      expect((await neighbour.run('echo', ['fine'])).stdout).toEqual(['fine']);
    };

    it.each([
      [
        'links to files of the host',
        (canary: string) =>
          `ln -s ${canary} a; ln -s / b; ln -s /proc/1/root c; ln -s ../../../../../etc d`,
      ],
      [
        'names with blanks, newlines, quotes and dashes',
        () =>
          `touch -- '-rf' '--checkpoint-action=exec=id' "a\nb" '$(id)' "'" ' ' '*' && mkdir -- '-C'`,
      ],
      [
        'FIFOs, sockets and files without any rights',
        () =>
          `mkfifo p; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'; touch n; chmod 0 n; mkdir m; touch m/x; chmod 0 m`,
      ],
      [
        'its own directories replaced by links',
        (canary: string) =>
          `cd /; rm -r /home/sandbox; ln -s ${canary} /home/sandbox; mv /workspace /old; ln -s /proc /workspace; rm -f /etc/passwd; ln -s /proc/1/mem /etc/passwd; mkdir -p /opt/x; ln -s /usr /var`,
      ],
      [
        'the directories that it mounts over',
        () => `cd /; rm -f /bin /sbin; ln -s /workspace /run; ln -s /workspace /root; mkdir /sys`,
      ],
      [
        'hard links, sparse files and deep paths',
        () =>
          `echo x >a; ln a b; truncate -s 100M s; mkdir -p $(printf 'd/%.0s' $(seq 400)); touch -d '1901-01-01' old`,
      ],
    ])('of %s does no harm, and is there at the next start', async (_, script) => {
      const inside = await fresh();
      expect((await inside.shell(`${script(attacked.canary)}\ntouch /marked`)).exitCode ?? 0).toBe(
        0,
      );
      expect((await inside.stop()).body.result).toContain('stopped');
      await expectHostUnharmed();
      expect((await inside.start()).body.result).toContain('started');
      expect((await inside.run('/usr/bin/test', ['-e', '/marked'])).exitCode).toBe(0);
      await inside.stop();
      await expectHostUnharmed();
    });

    it('that code inside forged is taken for its own, and for no other', async () => {
      const inside = await fresh();
      // The forger races the agent for its report, and may lose: it tries until it has won once.
      let listed: readonly string[] = [];
      for (let attempt = 0; attempt < 5 && listed.length === 0; attempt += 1) {
        await inside.python(forgeArchive("add('workspace/forged')"), 5);
        expect((await inside.stop()).body.result).toContain('stopped');
        await inside.start();
        listed = (await inside.shell('ls /workspace')).stdout;
      }
      expect(listed).toEqual(['forged']);
      expect((await attacked.neighbour.shell('ls /workspace')).stdout).toEqual([]);
      await inside.stop();
    });

    it.each([
      ['absolute names', `add('/forged'); add('/tmp/forged'); add('/etc/forged')`],
      [
        'names with ".."',
        `add('../../../forged'); add('./../../tmp/forged'); add('a/../../../../forged')`,
      ],
      [
        'a link, and a file through it',
        `add('way', tarfile.SYMTYPE, '/tmp'); add('way/forged'); add('up', tarfile.SYMTYPE, '../../../..'); add('up/forged')`,
      ],
      [
        'hard links to what is not in it',
        `add('h1', tarfile.LNKTYPE, '/etc/shadow'); add('h2', tarfile.LNKTYPE, '../../etc/shadow')`,
      ],
      [
        'device nodes',
        `add('mem', tarfile.CHRTYPE, device=(1, 1)); add('disk', tarfile.BLKTYPE, device=(8, 0)); add('fifo', tarfile.FIFOTYPE)`,
      ],
      [
        'files of the system and the engine',
        `add('usr/bin/env'); add('bin', tarfile.SYMTYPE, '/workspace'); add('.sandbox/io/1.status'); add('.sandbox/kernel/python-kernel.py'); add('proc/sys/kernel/core_pattern'); add('dev/null')`,
      ],
      ['nonsense', `archive.write(os.urandom(10240))`],
    ])('that code inside forged of %s does no harm', async (_, members) => {
      const inside = await fresh();
      await inside.shell('echo own >/workspace/own');
      await inside.python(forgeArchive(members), 5);
      const { body: stopped } = await inside.stop();
      expect(stopped.result ?? stopped.error.message).toMatch(/stopped|could not be saved/);
      await expectHostUnharmed();
      const { body: started } = await inside.start();
      expect(started.result ?? started.error.message).toMatch(/started|could not be restored/);
      if (started.result !== undefined) {
        const { stdout } = await inside.python(`
import stat
print([path for path in ('/mem', '/disk') if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)])
say('host', lambda: read(${JSON.stringify(attacked.canary)}))`);
        expect(stdout).toEqual(['[]', 'host: ENOENT']);
        await inside.stop();
      }
      await expectHostUnharmed();
    });
  },
);
