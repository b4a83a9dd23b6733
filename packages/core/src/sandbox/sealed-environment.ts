import type { ServerKey } from '../key/key-digest.ts';
import { openSealedText, sealText } from '../key/sealed-text.ts';
import type { Randomness } from '../port/randomness.ts';

type Environment = Readonly<Record<string, string>>;

const purpose = 'environment of sandboxes';

/** Variables as they are stored: programs read them at every start, and nobody else is to. */
export const sealEnvironment = (
  environment: Environment,
  {
    serverKey,
    randomness,
  }: { readonly serverKey: () => ServerKey; readonly randomness: Randomness },
): Environment =>
  mapValues(environment, (value, about) =>
    sealText(value, { serverKey: serverKey(), purpose, about }, randomness).toString('base64'),
  );

/** Without those that were sealed under another server key: with that one, every key has ended too. */
export function openEnvironment(sealed: Environment, serverKey: ServerKey): Environment {
  const opened: Record<string, string> = {};
  for (const [about, value] of Object.entries(sealed)) {
    try {
      const bytes = Buffer.from(value, 'base64');
      opened[about] = openSealedText(bytes, { serverKey, purpose, about });
    } catch {
      // Nobody can read it any more.
    }
  }
  return opened;
}

const mapValues = (environment: Environment, map: (value: string, name: string) => string) =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, map(value, name)]));
