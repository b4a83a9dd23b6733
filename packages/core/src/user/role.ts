import { type GrantedScope, sandboxScopes } from '../key/scope.ts';

/** What a member is in a workspace, the mightiest first. A workspace has one owner. */
export const roles = ['owner', 'admin', 'member', 'viewer'] as const;
export type Role = (typeof roles)[number];

export const isRole = (text: string): text is Role => (roles as readonly string[]).includes(text);

/**
 * What a role may do at most. What only an owner may do (delete the workspace, hand it over) has no
 * scope: it is asked for by the role itself.
 */
export const roleScopes: Readonly<Record<Role, readonly GrantedScope[]>> = {
  owner: ['*'],
  admin: ['*'],
  member: [...sandboxScopes, 'workspace:read', 'usage:read', 'mcp:call'],
  viewer: [
    'sandbox:read',
    'file:read',
    'snapshot:read',
    'volume:read',
    'workspace:read',
    'usage:read',
  ],
};
