import {
  allowListProblem,
  isScope,
  keyPattern,
  scopes as knownScopes,
  type RequestLimits,
} from '@sandgate/core';
import { InvalidArgumentError } from 'commander';
import { durationOption } from './duration-option.ts';

const maxLimit = 1_000_000;
const limitNames: readonly (keyof RequestLimits)[] = ['minute', 'hour', 'day', 'quota24h'];

const isLimitName = (text: string): text is keyof RequestLimits =>
  (limitNames as readonly string[]).includes(text);

const listOf = (text: string): readonly string[] => text.split(',').map((part) => part.trim());

/** Reads text of at most `most` characters, for commander. What is stored must not be a key. */
export function textOption(most: number): (text: string) => string {
  return (text) => {
    if (text.length > most) {
      throw new InvalidArgumentError(`It may have ${most} characters at most.`);
    }
    if (keyPattern.test(text)) {
      throw new InvalidArgumentError('It holds an API key, which is stored nowhere.');
    }
    return text;
  };
}

/** `sandbox:read,sandbox:exec`. */
export function scopesOption(text: string): readonly string[] {
  const scopes = listOf(text);
  const unknown = scopes.filter((scope) => !isScope(scope));
  if (unknown.length === 0) return [...new Set(scopes)];
  throw new InvalidArgumentError(
    `Unknown scope: ${unknown.join(', ')}. Known scopes: ${knownScopes.join(', ')}, *`,
  );
}

/** One or more addresses and CIDR blocks, added to those given before; `any` is none. */
export function addressOption(text: string, before: readonly string[] = []): readonly string[] {
  if (text === 'any') return before;
  const entries = listOf(text);
  const problem = entries.map(allowListProblem).find((each) => each !== null);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  return [...before, ...entries];
}

/** How long from now, in milliseconds. Not null for `never`, which commander takes for no value. */
export function expiryOption(text: string): number | 'never' {
  return text === 'never' ? 'never' : durationOption(text);
}

export type LimitChanges = Readonly<Partial<Record<keyof RequestLimits, number | null | 'plan'>>>;

const limitForms = 'minute=10,hour=100,day=none,quota24h=500';

/** `minute=10,day=none,hour=plan`, added to those given before. Null: without limit. */
export function limitOption(text: string, before: LimitChanges = {}): LimitChanges {
  const changes: Partial<Record<keyof RequestLimits, number | null | 'plan'>> = { ...before };
  for (const part of listOf(text)) {
    const [name = '', value = '', ...rest] = part.split('=');
    if (!isLimitName(name) || rest.length > 0) {
      throw new InvalidArgumentError(`"${part}" is not a limit, as in ${limitForms}`);
    }
    changes[name] = limitValue(name, value);
  }
  return changes;
}

function limitValue(name: string, text: string): number | null | 'plan' {
  if (text === 'none') return null;
  if (text === 'plan') return 'plan';
  const limit = /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= maxLimit) return limit;
  throw new InvalidArgumentError(
    `${name} must be a whole number from 1 to ${maxLimit}, "none" for no limit, or "plan".`,
  );
}
