import { roles, type Workspace } from '@sandgate/core';
import { z } from 'zod';
import type { ReachedWorkspace } from '../../people/reached-workspaces.ts';
import { time, toTime, workspaceName } from '../shared-schemas.ts';

export const workspaceParams = z.strictObject({ workspace: workspaceName });

export const roleName = z.enum(roles);

export const workspaceText = {
  name: z.string().max(400),
  description: z.string().max(4_000),
};

export const workspaceItem = z
  .strictObject({
    id: z.string(),
    uuid: z.string(),
    slug: z.string(),
    name: z.string(),
    description: z.string(),
    plan: z.string(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Workspace' });

export const reachedWorkspace = workspaceItem
  .extend({
    role: roleName
      .nullable()
      .meta({ description: "Of the person; null for a key that is nobody's" }),
  })
  .meta({ id: 'ReachedWorkspace' });

const toWorkspaceItem = (workspace: Workspace): z.input<typeof workspaceItem> => ({
  id: workspace.id,
  uuid: workspace.uuid,
  slug: workspace.slug,
  name: workspace.name,
  description: workspace.description,
  plan: workspace.plan,
  created_at: toTime(workspace.createdAtMs),
  updated_at: toTime(workspace.updatedAtMs),
});

export const toReachedWorkspace = ({
  workspace,
  role,
}: ReachedWorkspace): z.input<typeof reachedWorkspace> => ({ ...toWorkspaceItem(workspace), role });
