/** What a key may do. `*` stands for all of them and is given to keys that name none. */
export const scopes = [
  'sandbox:read',
  'sandbox:write',
  'sandbox:exec',
  'file:read',
  'file:write',
  'snapshot:read',
  'snapshot:write',
  'volume:read',
  'volume:write',
  'key:read',
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

export function grants(granted: readonly GrantedScope[], needed: Scope): boolean {
  return granted.includes('*') || granted.includes(needed);
}
