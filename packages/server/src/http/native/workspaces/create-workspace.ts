import { z } from 'zod';
import { makeWorkspace } from '../../people/change-workspaces.ts';
import { defineRoute } from '../route.ts';
import { userReference } from '../users/user-schemas.ts';
import { reachedWorkspace, toReachedWorkspace, workspaceText } from './workspace-schemas.ts';

export const createWorkspaceRoute = defineRoute({
  operationId: 'createWorkspace',
  method: 'post',
  path: '/api/v1/workspaces',
  tag: 'Workspaces',
  summary: 'Make a workspace',
  description:
    'A person who has logged in makes one of their own, without any further right. A key of all workspaces needs workspace:manage, and may say whose it is.',
  access: 'any key',
  workspace: 'reach',
  safe: false,
  audit: 'workspace.create',
  body: z.strictObject({
    name: workspaceText.name,
    description: workspaceText.description.default(''),
    slug: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'What namespaces and paths call it. Made of the name when left out' }),
    owner: userReference
      .optional()
      .meta({ description: 'For a key of all workspaces. Left out: nobody' }),
  }),
  answer: reachedWorkspace,
  errors: [
    'quota_exceeded',
    'scope_missing',
    'user_not_found',
    'user_required',
    'workspace_exists',
  ],
  async run({ body }, context) {
    const { workspace, role } = await makeWorkspace(context, body);
    return toReachedWorkspace({ workspace, role });
  },
});
