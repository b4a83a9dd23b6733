/** To work with sandboxes and all that belongs to them. */
export const sandboxScopes = [
  'sandbox:read',
  'sandbox:write',
  'sandbox:exec',
  'file:read',
  'file:write',
  'snapshot:read',
  'snapshot:write',
  'volume:read',
  'volume:write',
] as const;

/** What a key may do. `*` stands for all of them and is given to keys that name none. */
export const scopes = [
  ...sandboxScopes,
  'key:read',
  'key:mint',
  'key:manage',
  'workspace:read',
  'workspace:manage',
  'usage:read',
  'audit:read',
  'mcp:call',
] as const;

export type Scope = (typeof scopes)[number];
export type GrantedScope = Scope | '*';

export function isScope(text: string): text is GrantedScope {
  return text === '*' || (scopes as readonly string[]).includes(text);
}

/** Whoever manages all keys of a workspace may make children of its own. */
const heldBy: Readonly<Partial<Record<GrantedScope, Scope>>> = { 'key:mint': 'key:manage' };

export function grants(granted: readonly GrantedScope[], needed: GrantedScope): boolean {
  const holder = heldBy[needed];
  return (
    granted.includes('*') ||
    granted.includes(needed) ||
    (holder !== undefined && granted.includes(holder))
  );
}

/** The scopes that both grant. */
export const sharedScopes = (
  one: readonly GrantedScope[],
  other: readonly GrantedScope[],
): readonly GrantedScope[] => [
  ...new Set([
    ...one.filter((scope) => grants(other, scope)),
    ...other.filter((scope) => grants(one, scope)),
  ]),
];
