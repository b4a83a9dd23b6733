import type { SandboxDefinition } from './sandbox-definition.ts';

/** Whether two definitions say the same, in whatever order their fields stand. */
export function sameDefinition(one: SandboxDefinition, other: SandboxDefinition): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

/** Objects with their keys in order, so that equal definitions have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
