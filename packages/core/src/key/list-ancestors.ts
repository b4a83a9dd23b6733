import type { Storage } from '../port/storage.ts';
import type { ApiKey } from './api-key.ts';

/** The parent of a key, that one's parent, and so on, as they are stored. */
export async function listAncestors(
  { storage }: { readonly storage: Storage },
  key: ApiKey,
): Promise<readonly ApiKey[]> {
  const ancestors: ApiKey[] = [];
  for (let number = key.parentNumber; number !== null; ) {
    const parent = await storage.keys.findByNumber(number);
    if (parent === null) break;
    ancestors.push(parent);
    number = parent.parentNumber;
  }
  return ancestors;
}
