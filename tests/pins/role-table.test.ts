import { describe, expect, it } from 'vitest';
import { modboxRoutes } from '../../packages/server/src/http/dialects/modbox/modbox-routes.ts';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { roleTable } from '../support/role-table.ts';

const routes = [...allRoutes, ...modboxRoutes].map(({ method, path, access }) => ({
  name: `${method.toUpperCase()} ${path}`,
  isPublic: access === 'public',
}));

describe('the table of roles', () => {
  it('has one row for every route of both doors, and none of others: who may call a new one?', () => {
    const named = Object.values(roleTable).flat();
    expect(named.toSorted()).toEqual(routes.map(({ name }) => name).toSorted());
    expect(new Set(named).size).toBe(named.length);
  });

  it('calls public what is public, and nothing else', () => {
    const open = routes.filter(({ isPublic }) => isPublic).map(({ name }) => name);
    expect(open.toSorted()).toEqual(roleTable.anybody.toSorted());
  });
});
