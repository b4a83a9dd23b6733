import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientEnvironment } from './env-file.ts';

let currentFolder: string;
beforeEach(async () => {
  currentFolder = await mkdtemp(join(tmpdir(), 'sandgate-env-'));
});
afterEach(() => rm(currentFolder, { recursive: true }));

const write = (text: string) => writeFile(join(currentFolder, '.env'), text);
const read = (environment: Readonly<Record<string, string | undefined>> = {}) =>
  clientEnvironment({ environment, currentFolder });

describe('clientEnvironment', () => {
  it('is the environment where there is no file', async () => {
    expect(await read({ HOME: '/h' })).toEqual({ HOME: '/h' });
  });

  it.each([
    ['MSB_API_KEY="quoted"', 'quoted'],
    ["MSB_API_KEY='quoted'", 'quoted'],
    ['MSB_API_KEY=bare', 'bare'],
    ['export MSB_API_KEY=exported', 'exported'],
    ['# first\n\nMSB_API_KEY=bare # last\n', 'bare'],
    ['MSB_API_KEY=bare\r\n', 'bare'],
    ['MSB_API_KEY=old\nMSB_API_KEY=new', 'new'],
  ])('reads %j', async (text, value) => {
    await write(text);
    expect((await read()).MSB_API_KEY).toBe(value);
  });

  it("takes Sandgate's own variables alone", async () => {
    await write('MSB_SERVER_URL=u\nSANDGATE_HOME=h\nPATH=/evil\nNODE_OPTIONS=x\nXMSB_A=1');
    expect(await read({ PATH: '/bin' })).toEqual({
      PATH: '/bin',
      MSB_SERVER_URL: 'u',
      SANDGATE_HOME: 'h',
    });
  });

  it('leaves what is set as it is', async () => {
    await write('MSB_API_KEY=k\nMSB_SERVER_URL=from-file');
    expect(await read({ MSB_SERVER_URL: 'set', MSB_API_KEY: '' })).toEqual({
      MSB_API_KEY: 'k',
      MSB_SERVER_URL: 'set',
    });
  });

  it('sends no key of the environment to an address out of a file', async () => {
    await write('MSB_SERVER_URL=https://elsewhere.example');
    expect(await read({ MSB_API_KEY: 'mine' })).toEqual({ MSB_API_KEY: 'mine' });
  });
});
