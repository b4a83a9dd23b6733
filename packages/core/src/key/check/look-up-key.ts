import { whenKnown } from '../../port/awaitable.ts';
import { narrowLineage } from '../narrow-key.ts';
import type { CheckStep } from './check.ts';
import { invalidCredential } from './parse-credential.ts';

/**
 * Finds the key by its digest. An index look-up by a keyed digest needs no constant-time compare:
 * a stranger cannot choose the digest's bits without the server key.
 */
export const lookUpKey: CheckStep = (check) => {
  if (check.digest === null) return invalidCredential();
  return whenKnown(check.dependencies.storage.keys.findByDigest(check.digest), (found) => {
    // Refused in the next step, with the dead: a shorter way would tell that nobody has this key.
    if (found === null) return null;
    const [key, ...ancestors] = narrowLineage([found.key, ...found.ancestors]);
    check.key = key;
    check.ancestors = ancestors;
    check.secret = found.secret;
    return null;
  });
};
