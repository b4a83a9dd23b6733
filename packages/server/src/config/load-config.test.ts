import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOverrides } from './config-overrides.ts';
import { type ConfigSources, loadConfig } from './load-config.ts';
import { serverConfig } from './server-config.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sandgate-config-'));
});
afterEach(() => rm(home, { recursive: true }));

const load = (sources: Partial<ConfigSources> = {}) =>
  loadConfig({ home, environment: {}, ...sources });
const write = (value: unknown) => writeFile(join(home, 'config.json'), JSON.stringify(value));

/** `a.b` for every value in a configuration; the entries of a list are named `list[]`. */
function leafKeys(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => leafKeys(entry, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) =>
    leafKeys(inner, path === '' ? name : `${path}.${name}`),
  );
}

describe('loadConfig', () => {
  it('is complete without a file', async () => {
    expect(await load()).toMatchObject({
      host: '127.0.0.1',
      port: 5555,
      tls: null,
      log: { level: 'info', destination: 'file' },
      allowedHostPaths: [],
      engine: { launcher: 'auto', pythonPath: null },
    });
  });

  it('puts a variable over the file, and a flag over the variable', async () => {
    await write({ port: 1, log: { level: 'warn' } });
    const environment = { SANDGATE_PORT: '2', SANDGATE_LOG_LEVEL: 'debug', SANDGATE_HOST: '' };
    const config = await load({ environment, flags: { port: '3' } });
    expect(config).toMatchObject({ port: 3, host: '127.0.0.1', log: { level: 'debug' } });
  });

  it('reports every violation at once, with its key, its origin and what is right', async () => {
    await write({
      colour: 'red',
      host: 'example.com',
      log: { level: 'loud', file: 'x' },
      tls: { certPath: '/c' },
      allowedHostPaths: [{ path: 'relative' }],
      sandbox: { defaults: { cpus: 4 }, maxima: { cpus: 2 } },
      egress: {
        allowedPrivateRanges: ['10.0.0.0/33'],
        nameServers: ['::1', 'ns.example.com', '1.1.1.1:0'],
      },
    });
    const error = await load({ environment: { SANDGATE_PORT: '70000' } }).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'config_invalid' });
    expect(error.message.split('\n').slice(1).toSorted()).toEqual(
      [
        '  allowedHostPaths.0.path: must be an absolute path',
        '  colour: there is no such key',
        '  egress.allowedPrivateRanges.0: must be an IP address or CIDR block, as in 10.1.0.0/16',
        ...[1, 2].map(
          (at) =>
            `  egress.nameServers.${at}: must be an IP address, with or without a port, as in 192.0.2.53 or [2001:db8::53]:5353`,
        ),
        '  host: must be an IP address or "localhost"',
        '  log.file: there is no such key',
        '  log.level: must be one of: trace, debug, info, warn, error, silent',
        '  port (from SANDGATE_PORT): must be a whole number from 0 to 65535',
        '  sandbox.defaults.cpus: is 4, over its maximum of 2: lower it, or raise sandbox.maxima.cpus',
        '  tls.keyPath: is missing and must be an absolute path',
      ].toSorted(),
    );
  });

  it('says in its own words which settings are objects and lists', async () => {
    await write({ tls: 'cert.pem', allowedHostPaths: '/srv', plans: [], sandbox: 3 });
    const error = await load().catch((caught) => caught);
    expect(error.message.split('\n').slice(1).toSorted()).toEqual([
      '  allowedHostPaths: must be a list in square brackets',
      '  plans: must be an object in braces',
      '  sandbox: must be an object in braces',
      '  tls: must be an object in braces',
    ]);
  });

  it.each(['', '{', '[]', '3'])('refuses a file that holds %j', async (text) => {
    await writeFile(join(home, 'config.json'), text);
    await expect(load()).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it.each(['abc', '-1', '1e3', '80.5'])('refuses port %j', async (port) => {
    await expect(load({ flags: { port } })).rejects.toThrow('port (from --port): must be a whole');
  });

  it('needs both files for TLS', async () => {
    await expect(load({ flags: { tlsCert: 'cert.pem' } })).rejects.toThrow(
      'tls.keyPath: is missing',
    );
    const config = await load({ flags: { tlsCert: '/c.pem', tlsKey: '/k.pem' } });
    expect(config.tls).toEqual({ certPath: '/c.pem', keyPath: '/k.pem' });
  });

  it('is frozen, all the way down', async () => {
    const config = await load();
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.sandbox.defaults)).toBe(true);
  });
});

describe('docs/configuration.md', () => {
  const page = async () => {
    const url = new URL('../../../../docs/configuration.md', import.meta.url);
    const [, keys = ''] = (await readFile(url, 'utf8')).split('\n## Keys of');
    return keys.split('\n## ')[0] ?? '';
  };
  const column = (text: string, number: number) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|')[number]?.trim().replaceAll('`', '') ?? '');

  it('names every key and no other', async () => {
    const every = serverConfig.parse({
      tls: { certPath: '/c', keyPath: '/k' },
      allowedHostPaths: [{ path: '/p' }],
      pool: { python: 2 },
      templates: { 'python-3.12': { image: 'i', displayName: 'n', description: 'd' } },
      webhooks: { allowedPrivateHosts: ['hooks.internal'] },
      mcp: { allowedPrivateHosts: ['mcp.internal'] },
      images: {
        allowedPrivateHosts: ['registry.internal'],
        local: { base: { path: '/srv/base' } },
        templates: { debian: { reference: 'debian:12' } },
      },
      egress: { allowedPrivateRanges: ['10.0.0.0/8'], nameServers: ['[2001:db8::53]:5353'] },
      engine: { docker: { templates: { debian: { image: 'debian:12' } } } },
      identity: {
        captcha: { secret: 'x' },
        publicUrl: 'https://sandgate.example',
        oauth: { allowedPrivateHosts: ['agents.internal'] },
        signOn: {
          providers: {
            google: { kind: 'oidc', issuer: 'https://i', clientId: 'x', clientSecret: 'y' },
            github: { kind: 'github', clientId: 'x', clientSecret: 'y' },
          },
          returnUrls: ['https://app.example/signed-in'],
        },
      },
    });
    expect(column(await page(), 1).toSorted()).toEqual(leafKeys(every).toSorted());
  });

  it('names the variable of every key that has one', async () => {
    const text = await page();
    const named = column(text, 1).map((key, row) => [key, column(text, 3)[row] ?? ''] as const);
    expect(Object.fromEntries(named.filter(([, variable]) => variable !== ''))).toEqual(
      Object.fromEntries(configOverrides.map(({ key, variable }) => [key, variable])),
    );
  });

  it('states the defaults that the schema has', async () => {
    const text = await page();
    const stated = new Map(column(text, 1).map((key, row) => [key, column(text, 2)[row] ?? '']));
    const defaultOf = (key: string) =>
      key.split('.').reduce<unknown>((value, name) => {
        return (value as Record<string, unknown> | null)?.[name];
      }, serverConfig.parse({}));
    for (const [key, text] of stated) {
      const value = defaultOf(key);
      if (value === undefined) continue;
      expect(`${key}=${text}`).toBe(`${key}=${value === null ? 'none' : String(value)}`);
    }
  });
});
