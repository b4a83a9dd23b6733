import { Resolver } from 'node:dns/promises';

/** Addresses of a name, at least one. Rejects when there are none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

const tries = 2;
const timeoutMs = 3_000;

/**
 * Asks name servers, and not the machine: what its hosts file and its search domains know is nothing
 * for sandboxes. It also takes no thread of the few that `getaddrinfo` would wait in. Without servers,
 * those of the machine, read anew each time since they change with its network.
 */
export function createNameResolver(servers: readonly string[] = []): ResolveName {
  return async (name) => {
    const resolver = new Resolver({ timeout: timeoutMs, tries });
    if (servers.length > 0) resolver.setServers(servers);
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) =>
      answer.status === 'fulfilled' ? answer.value : [],
    );
    if (addresses.length === 0) throw new Error(`${name} has no address`);
    return addresses;
  };
}
