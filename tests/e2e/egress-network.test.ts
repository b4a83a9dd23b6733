import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ordinaryUser } from '../support/attacked-server.ts';
import { addresses } from '../support/egress/addresses.ts';
import type { EgressVisit } from '../support/egress/egress-visit.ts';

const run = promisify(execFile);
const scene = join(import.meta.dirname, '../support/egress/egress-scene.ts');
const isRoot = process.getuid?.() === 0;

/** In network namespaces with addresses of the public Internet, which lead nowhere else. */
async function visitInternet(user: readonly number[]): Promise<EgressVisit> {
  const unshare = isRoot ? ['--net'] : ['--map-root-user', '--net'];
  const words = [process.execPath, '--conditions=@sandgate/source', scene, ...user.map(String)];
  const { stdout } = await run('unshare', [...unshare, ...words]);
  return JSON.parse(stdout);
}

const ordinary = isRoot ? [ordinaryUser.uid, ordinaryUser.gid] : [];
const users: readonly (readonly [string, readonly number[]])[] = [
  ...(isRoot ? [['root', []] as const] : []),
  ['an ordinary user', ordinary],
];

it.each(users)(
  'of a server of %s, a sandbox reaches the public Internet and nothing else',
  async (_, user) => {
    const { public: open, inside, own } = addresses;
    const visit = await visitInternet(user);
    expect(visit.machine).toEqual(Object.values(inside).map((address) => `${address} /`));
    const reached = [open.web, open.web, open.web6].map((address) => `${address} /`);
    expect(visit.pythonReached).toEqual(reached);
    expect(visit.nodeReached).toEqual(reached);
    expect(visit.pythonRefused.map((line) => line.slice(0, 4))).toEqual(Array(8).fill('403 '));
    expect(visit.pythonRefused.at(-1)).toContain(own);
    expect(visit.nodeRefused).toEqual(Array(7).fill('refused'));
    expect(visit.direct).toEqual(['ENETUNREACH', 'ENETUNREACH']);
    expect(visit.denials).toBe(15);
    expect(visit.networkChanged).toBe(false);
    expect(visit.leftChildren).toBe('');
  },
);
