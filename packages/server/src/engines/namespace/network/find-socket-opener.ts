import { closeSync } from 'node:fs';
import type { EngineFinding } from '@sandgate/core';
import type { LaunchContext } from '../launch-sandbox.ts';
import { tryInSandbox } from '../try-program.ts';
import { openNetworkNamespace } from './open-network-namespace.ts';
import { SocketOpener } from './socket-opener.ts';
import { findSocketPrograms } from './socket-program.ts';

/** The first program that really opens a socket in a sandbox, and what is to be said about it. */
export async function findSocketOpener(
  context: LaunchContext,
  probeId: string,
  findings: EngineFinding[],
): Promise<SocketOpener | null> {
  const failures: string[] = [];
  for (const program of findSocketPrograms()) {
    const opener = new SocketOpener(program);
    const failure = await tryOpener(context, opener, probeId);
    if (failure === null) {
      findings.push({
        subject: 'network',
        status: 'ok',
        message: `Sandboxes can be given a network, and their ports be reached, by ${opener.name}.`,
      });
      return opener;
    }
    failures.push(` ${failure}`);
  }
  findings.push({
    subject: 'network',
    status: 'degraded',
    message: `Sandboxes have no network, and their ports cannot be reached: neither Perl nor Python of the system opens a socket in one.${failures.join('')}`,
    remedy: 'Install Perl, as in `apt-get install perl-base`, or Python 3 in /usr/bin.',
  });
  return null;
}

function tryOpener(
  context: LaunchContext,
  opener: SocketOpener,
  probeId: string,
): Promise<string | null> {
  return tryInSandbox(context, [], probeId, async ({ pid }) => {
    const namespaceFd = openNetworkNamespace(pid ?? 0);
    try {
      (await opener.listen({ namespaceFd, address: '127.0.0.2', port: 3_128 })).close();
      return null;
    } finally {
      opener.close();
      closeSync(namespaceFd);
    }
  });
}
