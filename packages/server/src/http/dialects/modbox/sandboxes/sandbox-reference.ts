import {
  type DoorSandboxes,
  type Sandbox,
  SandgateError,
  type Storage,
  sandboxStates,
  type Workspace,
} from '@sandgate/core';
import { resourceIdOf } from './resource-uuid.ts';
import { taskNameOf } from './task-name.ts';

/** What a request calls the sandbox that it is about. */
export interface SandboxReference {
  /** Null where it gives a task id. */
  readonly id: string | null;
  readonly name: string;
}

/** @throws SandgateError `invalid_request` */
export const byTask = (taskId: string): SandboxReference => ({
  id: null,
  name: taskNameOf(taskId),
});

/** By the UUID of a sandbox or by a task id: the documentation does both. */
export const byEither = (text: string): SandboxReference => ({
  id: resourceIdOf(text),
  name: taskNameOf(text),
});

/**
 * A sandbox of a workspace; of a task, the one that lives, or else the one that was destroyed last.
 * @throws SandgateError `sandbox_not_found`
 */
export async function findSandbox(
  sandboxes: DoorSandboxes,
  workspace: Workspace,
  { id, name }: SandboxReference,
): Promise<Sandbox> {
  const found =
    (id === null ? null : await look(sandboxes, workspace, id)) ??
    (await look(sandboxes, workspace, name));
  if (found !== null) return found;
  // Of all states: the end of one may be known already, and be stored in a moment.
  const ever = { name, states: sandboxStates };
  const [last] = (await sandboxes.list(workspace, ever, { limit: 1 })).items;
  if (last !== undefined) return last;
  throw new SandgateError('sandbox_not_found', 'Sandbox not found');
}

async function look(
  sandboxes: DoorSandboxes,
  workspace: Workspace,
  reference: string,
): Promise<Sandbox | null> {
  try {
    return await sandboxes.find(workspace, reference, { includeDestroyed: true });
  } catch (error) {
    if (error instanceof SandgateError && error.code === 'sandbox_not_found') return null;
    throw error;
  }
}

/**
 * Slug of the workspace that a person means who names none: their home where the sandbox is there, else
 * the only other one of theirs that has it. Null when none has: then it is looked for in their home.
 * @throws SandgateError `tenant_conflict`
 */
export async function workspaceOfSandbox(
  storage: Storage,
  personId: string,
  { id, name }: SandboxReference,
): Promise<string | null> {
  const [person, memberships] = await Promise.all([
    storage.users.findById(personId),
    storage.members.listOfUser(personId),
  ]);
  const byId = id === null ? null : await storage.sandboxes.findById(id);
  const ofId = memberships.find(({ workspace }) => workspace.id === byId?.workspaceId);
  if (ofId !== undefined) return ofId.workspace.slug;
  const having = async (has: (workspaceId: string) => Promise<boolean>): Promise<Workspace[]> => {
    const found = await Promise.all(
      memberships.map(async ({ workspace }) => ((await has(workspace.id)) ? [workspace] : [])),
    );
    return found.flat();
  };
  const living = await having(
    async (workspaceId) => (await storage.sandboxes.findByName(workspaceId, name)) !== null,
  );
  const candidates = living.length > 0 ? living : await having(hadOne);
  const chosen =
    candidates.find((workspace) => workspace.id === person?.homeWorkspaceId) ?? candidates[0];
  if (candidates.length > 1 && chosen?.id !== person?.homeWorkspaceId) {
    throw new SandgateError(
      'tenant_conflict',
      'Several of your workspaces have a sandbox of this task_id. Send X-Workspace-Id',
    );
  }
  return chosen?.slug ?? null;

  async function hadOne(workspaceId: string): Promise<boolean> {
    const ever = { name, states: sandboxStates };
    return (await storage.sandboxes.page(workspaceId, ever, { limit: 1 })).items.length > 0;
  }
}
