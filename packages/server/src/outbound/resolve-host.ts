import { lookup } from 'node:dns/promises';
import type { ResolveHost } from './outbound-target.ts';

/** As the machine resolves names, its hosts file included. */
export const resolveHost: ResolveHost = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};
