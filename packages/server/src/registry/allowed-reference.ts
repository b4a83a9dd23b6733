import { resolveOutbound } from '../outbound/outbound-target.ts';
import { type ImageReference, parseImageReference, registryUrl } from './image-reference.ts';
import { toRegistryFailure } from './registry-failure.ts';
import { type RegistryHttpOptions, registryPolicy } from './registry-http.ts';

/**
 * Reads references for somebody else who pulls, as a Docker daemon does, and looks at where their registries are
 * first. The daemon looks again by itself: a name server that changes its mind in between is not caught.
 */
export function createReferenceReader({
  allowedPrivateHosts,
  resolve,
}: Pick<RegistryHttpOptions, 'allowedPrivateHosts' | 'resolve'>) {
  const policy = registryPolicy(allowedPrivateHosts);
  return async (text: string, allowHttp: boolean): Promise<ImageReference> => {
    const reference = parseImageReference(text);
    try {
      await resolveOutbound(new URL(registryUrl(reference, allowHttp)), policy, resolve);
    } catch (error) {
      throw toRegistryFailure(error);
    }
    return reference;
  };
}
