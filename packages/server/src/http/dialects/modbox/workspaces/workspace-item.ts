import type { Role, Storage, Workspace } from '@sandgate/core';

const time = (timeMs: number): string => new Date(timeMs).toISOString();

/** A workspace as a list shows it. `realm` is documented, and what it means is not: it is the slug. */
export const workspaceItem = (workspace: Workspace, role: Role | null) => ({
  id: workspace.uuid,
  name: workspace.name,
  description: workspace.description === '' ? null : workspace.description,
  realm: workspace.slug,
  created_by: workspace.createdBy,
  created_at: time(workspace.createdAtMs),
  updated_at: time(workspace.updatedAtMs),
  role,
});

/** With its members. */
export async function workspaceDetail(storage: Storage, workspace: Workspace, role: Role | null) {
  const members = await storage.members.listOfWorkspace(workspace.id);
  return {
    ...workspaceItem(workspace, role),
    members: members.map(({ member, user }) => ({
      user_id: user.id,
      role: member.role,
      email: user.email,
      name: user.name,
      created_at: time(member.createdAtMs),
    })),
  };
}
