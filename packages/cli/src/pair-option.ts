import { InvalidArgumentError } from 'commander';

type Pairs = Readonly<Record<string, string>>;

/** `name=value`, added to those given before, for commander. */
export function pairOption(text: string, before: Pairs = {}): Pairs {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be name=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

export const joinPairs = (pairs: Pairs): string =>
  Object.entries(pairs)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');

/** A value that may be given more than once, for commander. */
export const repeatedOption = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
];
