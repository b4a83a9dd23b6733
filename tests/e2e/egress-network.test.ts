import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { ordinaryUser } from '../support/attacked-server.ts';
import { addresses } from '../support/egress/addresses.ts';
import type { EgressVisit } from '../support/egress/egress-visit.ts';

const run = promisify(execFile);
const scene = join(import.meta.dirname, '../support/egress/egress-scene.ts');
const isRoot = process.getuid?.() === 0;
const users = isRoot ? ['root', 'an ordinary user'] : ['an ordinary user'];

let visits: readonly EgressVisit[] = [];

/** In network namespaces with addresses of the public Internet, which lead nowhere else. */
beforeAll(async () => {
  const unshare = isRoot ? ['--net'] : ['--map-root-user', '--net'];
  const ids = isRoot ? ['own', String(ordinaryUser.uid)] : ['own'];
  const words = [process.execPath, '--conditions=@sandgate/source', scene, ...ids];
  const { stdout } = await run('unshare', [...unshare, ...words]);
  visits = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}, 120_000);

it.each(users)(
  'of a server of %s, a sandbox reaches the public Internet and nothing else',
  (user) => {
    const visit = visits[users.indexOf(user)];
    const { public: open, inside, own } = addresses;
    const reached = [open.web, open.web, open.web6].map((address) => `${address} /`);
    expect(visit?.machine).toEqual(Object.values(inside).map((address) => `${address} /`));
    expect(visit?.python.slice(0, 3)).toEqual(reached);
    const refused = visit?.python.slice(3) ?? [];
    expect(refused.map((line) => line.slice(0, 4))).toEqual(Array(8).fill('403 '));
    expect(refused.at(-1)).toContain(own);
    expect(visit?.node).toEqual([
      ...reached,
      ...Array(7).fill('refused'),
      ...['ENETUNREACH', 'ENETUNREACH'],
    ]);
    expect(visit?.denials).toBe(15);
    expect(visit?.networkChanged).toBe(false);
    expect(visit?.leftChildren).toBe('');
  },
);
