import { isIP } from 'node:net';
import { SandgateError } from '../error/sandgate-error.ts';
import { allowListProblem } from '../key/address-allow-list.ts';
import type { EgressPolicy } from '../port/engine-egress.ts';

export const egressModes = ['open', 'restricted', 'deny_all'] as const;

/** A policy as a client sends it. */
export interface EgressRequest {
  readonly mode: string;
  readonly allow?: readonly string[] | undefined;
}

const maxEntries = 50;
const maxEntryCharacters = 253;

/**
 * The policy that a client asks for, with host names as they are compared. `restricted` with nothing
 * to allow is valid, and reaches nothing.
 * @throws SandgateError `egress_invalid` with every mistake
 */
export function buildEgressPolicy(request: EgressRequest): EgressPolicy {
  const { mode, allow } = request;
  const problems = egressProblems(request);
  if (problems.length > 0) {
    throw new SandgateError(
      'egress_invalid',
      `The egress policy is not valid: ${problems.join('; ')}.`,
    );
  }
  if (mode === 'restricted') return { mode, allow: (allow ?? []).map(normalizeHost) };
  return mode === 'open' ? { mode: 'open' } : { mode: 'deny_all' };
}

/** A host name or address as it is compared: in lower case, without brackets or a dot at the end. */
export function normalizeHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function egressProblems({ mode, allow }: EgressRequest): string[] {
  const modes: readonly string[] = egressModes;
  if (!modes.includes(mode)) return [`mode must be one of ${egressModes.join(', ')}`];
  if (allow === undefined) return [];
  if (mode !== 'restricted') return [`allow goes with mode restricted alone, and not with ${mode}`];
  const entries = allow.slice(0, maxEntries).flatMap((entry) => entryProblem(entry) ?? []);
  return allow.length <= maxEntries
    ? entries
    : [...entries, `allow has ${allow.length} entries, and may have ${maxEntries}`];
}

function entryProblem(entry: string): string | null {
  if (entry.length < 1 || entry.length > maxEntryCharacters) {
    return `an entry of allow has ${entry.length} characters, and may have 1 to ${maxEntryCharacters}`;
  }
  if (isHostPattern(normalizeHost(entry)) || allowListProblem(entry) === null) return null;
  return `${JSON.stringify(entry)} is no host name, IP address or CIDR block, as in example.com, *.example.com, 192.0.2.7 or 2001:db8::/32`;
}

const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Names whose last label is a number are addresses in another notation, as in `127.1`. */
function isHostPattern(text: string): boolean {
  const labels = (text.startsWith('*.') ? text.slice(2) : text).split('.');
  return (
    isIP(text) === 0 &&
    labels.every((part) => label.test(part)) &&
    !/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')
  );
}
