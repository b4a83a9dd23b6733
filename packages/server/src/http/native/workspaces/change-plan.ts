import { changePlan, SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { findWorkspace } from '../../authorize/select-workspace.ts';
import { defineRoute } from '../route.ts';

export const changePlanRoute = defineRoute({
  operationId: 'changePlan',
  method: 'put',
  path: '/api/v1/workspaces/{workspace}/plan',
  tag: 'Workspaces',
  summary: 'Put a workspace on another plan',
  description:
    'For a key of all workspaces. It holds from the next request of each key on, and what was used until then counts.',
  access: 'workspace:manage',
  workspace: 'all',
  safe: false,
  audit: 'workspace.plan',
  params: z.strictObject({ workspace: z.string() }),
  body: z.strictObject({ plan: z.string().min(1).max(64) }),
  answer: z.strictObject({ id: z.string(), uuid: z.string(), slug: z.string(), plan: z.string() }),
  errors: ['access_denied', 'workspace_not_found'],
  async run({ params, body }, context) {
    const workspace = await findWorkspace(context.storage, params.workspace);
    if (workspace === null) {
      throw new SandgateError('workspace_not_found', 'Workspace not found');
    }
    const { id, uuid, slug, plan } = await changePlan(context, workspace, body.plan);
    return { id, uuid, slug, plan };
  },
});
