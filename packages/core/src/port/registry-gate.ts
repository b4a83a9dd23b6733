import type { Registry } from '../registry/registry.ts';
import type { RegistryCredentials } from './image-puller.ts';

/**
 * `accepted`: the registry lets this user in. `not_asked`: it lets everybody in, and has looked at no
 * password.
 */
export type RegistryWelcome = 'accepted' | 'not_asked';

/** Asks registries for nothing but to be let in. */
export interface RegistryGate {
  /**
   * @throws SandgateError `registry_unauthorized`, `registry_unreachable`, `registry_not_allowed` (its
   *   address is not one that may be called)
   */
  knock(
    place: Pick<Registry, 'server' | 'allowHttp'>,
    credentials: RegistryCredentials,
    signal: AbortSignal,
  ): Promise<RegistryWelcome>;
}
