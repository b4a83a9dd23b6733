import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AttackedServer,
  canaryText,
  insideOf,
  type ServerUser,
  startAttackedServer,
} from '../support/attacked-server.ts';
import type { RpcResponse } from '../support/server-process.ts';

let names = 0;

/** A refusal before the call is one text, and one of the call a JSON-RPC error. */
const messageOf = ({ error }: RpcResponse['body']): string => error?.message ?? error ?? '';

describe.each<[ServerUser]>([['own'], ['ordinary']])(
  'of a server that runs as its %s user',
  (user) => {
    let attacked: AttackedServer;
    beforeAll(async () => {
      attacked = await startAttackedServer({
        user,
        config: (outside) => {
          for (const name of ['shared', 'shared/inner', 'second']) {
            mkdirSync(join(outside, name));
            chmodSync(join(outside, name), 0o777);
          }
          symlinkSync(outside, join(outside, 'shared/link'));
          symlinkSync('/etc', join(outside, 'etc'));
          return {
            allowedHostPaths: ['shared', 'second'].map((name) => ({
              path: join(outside, name),
              readOnly: false,
            })),
          };
        },
      });
    });
    afterAll(async () => await attacked?.close());

    /** Starts a sandbox of its own name; what the server answers. */
    const start = async (config: Record<string, unknown>) => {
      const inside = insideOf(attacked.server, `path-${names++}`);
      const { body } = await inside.start(config);
      return { inside, started: body.result !== undefined, message: messageOf(body) };
    };

    it.each([
      ['workdir', { workdir: '../../etc' }],
      ['workdir', { workdir: '/workspace/../../../etc' }],
      ['workdir', { workdir: 'etc' }],
      ['workdir', { workdir: '/workspace\0/etc' }],
      ['shell', { shell: '../bin/sh' }],
      ['shell', { shell: '/bin/../../bin/sh' }],
      ['script name', { scripts: { '../escape': 'x' } }],
      ['script name', { scripts: { '/etc/escape': 'x' } }],
      ['script name', { scripts: { '..': 'x' } }],
      ['script name', { scripts: { 'a/b': 'x' } }],
      ['script name', { scripts: { 'a\0b': 'x' } }],
      ['image', { image: '/' }],
      ['image', { image: '../../../etc' }],
      ['image', { image: 'microsandbox/../../etc' }],
      ['image', { image: 'microsandbox/python/../../../etc:latest' }],
      ['environment', { envs: ['A B=c'] }],
      ['environment', { envs: ['A;touch /tmp/x=c'] }],
      ['environment', { envs: ['=c'] }],
    ])('refuses a %s that leads elsewhere: %j', async (_, config) => {
      expect((await start({})).started).toBe(true);
      const { started, message } = await start(config);
      expect({ started, message }).toEqual({ started: false, message: expect.stringMatching(/./) });
      expect(message).not.toContain('engine');
    });

    it.each([
      '/:/data',
      '/etc:/data',
      'HOME:/data',
      'HOME/server.key:/data',
      'OUTSIDE:/data',
      'OUTSIDE/shared/..:/data',
      'OUTSIDE/shared/link:/data',
      'OUTSIDE/shared/link/canary:/data',
      'OUTSIDE/sharedx:/data',
      'OUTSIDE/shared/missing:/data',
      'OUTSIDE/etc:/data',
      '/proc/self/cwd:/data',
      '/proc/1/root:/data',
      '.:/data',
      '../..:/data',
      'OUTSIDE/shared:/',
      'OUTSIDE/shared:/usr/bin',
      'OUTSIDE/shared:/.sandbox/io',
      'OUTSIDE/shared:/proc/self',
      'OUTSIDE/shared:/data/../etc',
      'OUTSIDE/shared:data',
      'OUTSIDE/shared:/data:rw',
    ])('refuses the volume %s', async (text) => {
      const { server, outside } = attacked;
      const allowed = await start({ volumes: [`${outside}/shared:/data`] });
      expect((await allowed.inside.shell('ls -d /data/inner')).stdout).toEqual(['/data/inner']);
      const volume = text.replace('OUTSIDE', outside).replace('HOME', server.home);
      const { started, message } = await start({ volumes: [volume] });
      expect({ started, message }).toEqual({
        started: false,
        message: expect.stringMatching(/volume|path/i),
      });
      await allowed.inside.stop();
    });

    it('does not say whether a host path is there that is not allowed', async () => {
      const { outside } = attacked;
      const [there, missing] = await Promise.all([
        start({ volumes: [`${outside}/canary:/data`] }),
        start({ volumes: [`${outside}/nothing:/data`] }),
      ]);
      expect(there.message.replace('canary', 'nothing')).toBe(missing.message);
    });

    it("does not mount a link that was put in a volume's place since it was allowed", async () => {
      const { outside, server } = attacked;
      const { inside } = await start({ volumes: [`${outside}/shared/inner:/data`] });
      expect((await inside.shell('echo mine >/data/mine && ls /data')).stdout).toEqual(['mine']);
      await inside.stop();
      const writer = await start({ volumes: [`${outside}/shared:/all`] });
      for (const target of [outside, '../../home', server.home, '/etc']) {
        const swap = `cd /all && { [ -L inner ] && rm inner || mv inner kept; }; ln -s ${target} inner`;
        expect((await writer.inside.shell(swap)).exitCode).toBe(0);
        const { body } = await inside.start();
        expect(messageOf(body)).toContain('is not allowed');
      }
      await writer.inside.shell('cd /all && rm inner && mv kept inner');
      expect((await inside.start()).body.result).toContain('started');
      expect((await inside.shell('cat /data/mine')).stdout).toEqual(['mine']);
    });

    it('makes nothing outside through a link in a volume', async () => {
      const { outside } = attacked;
      const shared = `${outside}/shared`;
      const writer = await start({ volumes: [`${shared}:/all`] });
      const links = { plain: outside, behind: `/oldroot${outside}`, up: '../..' };
      for (const [name, target] of Object.entries(links)) {
        await writer.inside.shell(`ln -s ${target} /all/${name}`);
        const work = await start({ volumes: [`${shared}:/all`], workdir: `/all/${name}/made` });
        await work.inside.shell('touch here', 5);
        const nested = { volumes: [`${shared}:/all`, `${outside}/second:/all/${name}/mounted`] };
        expect((await start(nested)).message).toContain('A volume cannot be in another one');
      }
      expect(readdirSync(outside).sort()).toEqual(['canary', 'etc', 'second', 'shared']);
      expect(readdirSync(join(outside, '..')).sort()).toEqual(['home', 'outside']);
      expect(readdirSync(join(outside, 'second'))).toEqual([]);
    });

    it('follows a link that an earlier run left as the working directory no further than its own root', async () => {
      const { inside } = await start({ workdir: '/workspace/place' });
      await inside.shell(
        `cd / && rmdir /workspace/place && ln -s ${attacked.outside} /workspace/place`,
      );
      await inside.stop();
      await inside.start();
      const { stdout, error } = await inside.shell('pwd -P; ls');
      expect(stdout).toEqual([]);
      expect(error?.message).toContain('no directory');
      const other = await start({ workdir: '/workspace/place' });
      await other.inside.shell(
        'cd / && rmdir /workspace/place && ln -s ../../../../etc /workspace/place',
      );
      await other.inside.stop();
      await other.inside.start();
      expect((await other.inside.shell('pwd -P; ls passwd; ls shadow')).stdout).toEqual([
        '/etc',
        'passwd',
      ]);
    });

    it.each([
      '../escape',
      'a/b',
      '..',
      '.',
      '/etc',
      'a\0b',
      'a\nb',
      '-rf',
      'ä',
      'a'.repeat(64),
      '',
    ])('refuses the sandbox name %j, and the namespace', async (name) => {
      const { server } = attacked;
      for (const params of [{ sandbox: name }, { sandbox: 'x', namespace: name }]) {
        for (const method of ['sandbox.start', 'sandbox.stop', 'sandbox.metrics.get']) {
          const { body } = await server.rpc(method, params);
          expect(body.result).toBeUndefined();
          expect(messageOf(body)).toMatch(/Sandbox name|Namespace/);
        }
      }
    });

    it('takes each argument as it is, and starts nothing else', async () => {
      const words = [
        "'; id #",
        '$(id)',
        '`id`',
        '--',
        '-e',
        'a\nb',
        '"',
        '\\',
        '*',
        '~',
        'é€😀',
        '',
      ];
      const { attacker } = attacked;
      const { stdout } = await attacker.run('python3', [
        '-c',
        'import sys; print(ascii(sys.argv[1:]))',
        ...words,
      ]);
      const read = await attacker.python(`print(ascii(${JSON.stringify(words)}))`);
      expect(stdout).toEqual(read.stdout);
      const nul = await attacker.run('/bin/echo', ['a\0b']);
      expect(messageOf(nul.response.body)).toMatch(/NUL/i);
    });

    it('has left the host as it was', () => {
      expect(readFileSync(attacked.canary, 'utf8')).toBe(canaryText);
      expect(existsSync('/etc/escape')).toBe(false);
    });
  },
);
