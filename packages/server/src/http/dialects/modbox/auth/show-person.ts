import { requirePerson } from '../../../people/people-context.ts';
import { defineModboxRoute } from '../modbox-route.ts';

export const showPersonRoute = defineModboxRoute({
  method: 'get',
  path: '/auth/me',
  access: 'user',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const { user, role } = requirePerson(context);
    const { workspace } = context.access;
    return {
      id: user.id,
      email: user.email,
      name: user.name,
      created_at: new Date(user.createdAtMs).toISOString(),
      workspace: workspace === null ? null : { id: workspace.uuid, slug: workspace.slug, role },
    };
  },
});
