import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runMsb } from '../support/server-process.ts';

let home: string;
const other = createServer();

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sandgate-failed-'));
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
});
afterEach(async () => {
  await new Promise((resolve) => other.close(resolve));
  rmSync(home, { recursive: true, force: true });
});

describe('a server that cannot start', () => {
  it('leaves nothing of its engine behind', async () => {
    const { port } = other.address() as AddressInfo;
    const { exitCode } = await runMsb(['server', 'start', '--path', home, '--port', String(port)], {
      home,
    });
    expect(exitCode).not.toBe(0);
    const name = createHash('sha256').update(home).digest('hex').slice(0, 16);
    const places = [join(home, 'run'), `/run/sandgate-${name}`, join(tmpdir(), `sandgate-${name}`)];
    expect(places.filter((path) => existsSync(path))).toEqual([]);
  });
});
