import type { RegistryCredentials, RegistryGate, RegistryWelcome } from '@sandgate/core';
import { registryUrl } from './image-reference.ts';
import { answerChallenge, unauthorized } from './registry-authorization.ts';
import { unreachable } from './registry-failure.ts';
import {
  createRegistryHttp,
  type RegistryHttp,
  type RegistryHttpOptions,
} from './registry-http.ts';

/** For all of it: a person waits. */
const deadlineMs = 20_000;

/** Knocks at the base of a registry's API (OCI distribution specification 1.1, "Determining Support"). */
export function createRegistryGate(
  options: Pick<RegistryHttpOptions, 'allowedPrivateHosts' | 'resolve'>,
): RegistryGate {
  const http = createRegistryHttp({ ...options, silenceMs: deadlineMs });
  return {
    async knock({ server, allowHttp }, credentials, signal) {
      const late = AbortSignal.timeout(deadlineMs);
      const registry = new URL(registryUrl({ registry: server }, allowHttp));
      try {
        return await knock(http, registry, credentials, AbortSignal.any([signal, late]));
      } catch (error) {
        if (late.aborted && !signal.aborted) throw unreachable('it takes too long', error);
        throw error;
      }
    },
  };
}

async function knock(
  http: RegistryHttp,
  registry: URL,
  credentials: RegistryCredentials,
  signal: AbortSignal,
): Promise<RegistryWelcome> {
  const base = new URL('/v2/', registry);
  const first = await http.send(base, { headers: {}, signal });
  first.destroy();
  if (first.statusCode === 200) return 'not_asked';
  if (first.statusCode !== 401) throw noRegistry(first.statusCode);
  const challenge = first.headers['www-authenticate'] ?? '';
  const context = { registry, repository: null, credentials, signal };
  const authorization = await answerChallenge(http, context, challenge);
  const second = await http.send(base, { headers: { authorization }, signal });
  second.destroy();
  if (second.statusCode === 200) return 'accepted';
  if (second.statusCode === 401 || second.statusCode === 403) throw unauthorized(credentials);
  throw noRegistry(second.statusCode);
}

const noRegistry = (status = 0) => unreachable(`it answers with status ${status}`);
