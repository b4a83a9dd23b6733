import { type KeyRestrictions, numericRestrictions } from './key-restrictions.ts';
import { coversPattern } from './tool-pattern.ts';

/** No sandbox has these. Each stands for "none", where two restrictions have nothing in common. */
const noSandbox = '0'.repeat(24);
const noName = '/';

type Draft = { -readonly [Name in keyof KeyRestrictions]: KeyRestrictions[Name] };

/** Restrictions that keep to both. */
export function intersectRestrictions(
  one: KeyRestrictions,
  other: KeyRestrictions,
): KeyRestrictions {
  const both: Draft = { ...other, ...one };
  for (const name of numericRestrictions) {
    const least = Math.min(one[name] ?? Infinity, other[name] ?? Infinity);
    if (least < Infinity) both[name] = least;
  }
  if (one.templates !== undefined && other.templates !== undefined) {
    const { templates } = other;
    both.templates = one.templates.filter((name) => templates.includes(name));
  }
  if (one.sandboxId !== undefined && other.sandboxId !== undefined) {
    both.sandboxId = one.sandboxId === other.sandboxId ? one.sandboxId : noSandbox;
  }
  if (one.sandboxNamePrefix !== undefined && other.sandboxNamePrefix !== undefined) {
    both.sandboxNamePrefix = longerPrefix(one.sandboxNamePrefix, other.sandboxNamePrefix);
  }
  if (one.mcpTools !== undefined && other.mcpTools !== undefined) {
    both.mcpTools = sharedPatterns(one.mcpTools, other.mcpTools);
  }
  return both;
}

function longerPrefix(one: string, other: string): string {
  if (one.startsWith(other)) return one;
  return other.startsWith(one) ? other : noName;
}

/** Of patterns that overlap without one holding the other, what they share is left out, not let in. */
function sharedPatterns(one: readonly string[], other: readonly string[]): readonly string[] {
  const shared = one.flatMap((mine) =>
    other.flatMap((theirs) => {
      if (coversPattern(theirs, mine)) return [mine];
      return coversPattern(mine, theirs) ? [theirs] : [];
    }),
  );
  return [...new Set(shared)];
}

/** Everything in which one set of restrictions allows more than another, as parts of a sentence. */
export function restrictionsBeyond(
  wanted: KeyRestrictions,
  bound: KeyRestrictions,
): readonly string[] {
  const { templates, sandboxId, sandboxNamePrefix, mcpTools } = bound;
  const beyond: string[] = numericRestrictions
    .filter((name) => (wanted[name] ?? Infinity) > (bound[name] ?? Infinity))
    .map((name) => words[name]);
  if (
    templates !== undefined &&
    !(wanted.templates?.every((name) => templates.includes(name)) ?? false)
  ) {
    beyond.push('other templates');
  }
  if (sandboxId !== undefined && wanted.sandboxId !== sandboxId) beyond.push('another sandbox');
  if (
    sandboxNamePrefix !== undefined &&
    !(wanted.sandboxNamePrefix?.startsWith(sandboxNamePrefix) ?? false)
  ) {
    beyond.push('sandboxes of other names');
  }
  const covered = (pattern: string): boolean =>
    mcpTools?.some((outer) => coversPattern(outer, pattern)) ?? true;
  if (mcpTools !== undefined && !(wanted.mcpTools?.every(covered) ?? false)) {
    beyond.push('other tools');
  }
  return beyond;
}

const words: Readonly<Record<(typeof numericRestrictions)[number], string>> = {
  maxSandboxes: 'more sandboxes',
  maxCpus: 'more CPUs',
  maxMemoryMib: 'more memory',
  maxDiskMib: 'more disk',
};
