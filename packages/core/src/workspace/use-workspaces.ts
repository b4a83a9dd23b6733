import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';
import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId, newUuid } from '../port/resource-id.ts';
import type { OwnershipBound, Storage } from '../port/storage.ts';
import { requireName } from '../sandbox/sandbox-name.ts';
import { newWorkspace, type Workspace, workspaceFacts } from './workspace.ts';

export interface WorkspaceDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly change: AuditedChange;
}

export interface WorkspaceText {
  readonly name: string;
  readonly description: string;
}

export interface NewWorkspaceRequest extends WorkspaceText, OwnershipBound {
  /** Absent: made of the name. */
  readonly slug?: string | undefined;
  /** Id of the person who becomes its owner. Null: nobody's. */
  readonly ownerId: string | null;
}

const mostNameCharacters = 100;
const mostDescriptionCharacters = 1_000;

/** @throws SandgateError `invalid_request`, `workspace_exists`, `quota_exceeded` */
export async function createOwnWorkspace(
  { storage, clock, randomness, change }: WorkspaceDependencies,
  request: NewWorkspaceRequest,
): Promise<Workspace> {
  const text = requireWorkspaceText(request);
  const slug =
    request.slug === undefined
      ? slugFor(text.name, randomness)
      : requireName('Workspace', request.slug);
  const workspace = {
    ...newWorkspace({
      id: newResourceId(clock, randomness),
      uuid: newUuid(randomness),
      slug,
      createdAtMs: clock.nowMs(),
    }),
    ...text,
    createdBy: request.ownerId,
  };
  change.note(workspaceFacts(workspace));
  const { ownerId, mostOwned } = request;
  await storage.workspaces.insert(workspace, ownerId, change.append, { mostOwned });
  return workspace;
}

/** What is left out stays as it is. @throws SandgateError `invalid_request` */
export async function describeWorkspace(
  { storage, clock, change }: Omit<WorkspaceDependencies, 'randomness'>,
  workspace: Workspace,
  changes: Partial<WorkspaceText>,
): Promise<Workspace> {
  const text = requireWorkspaceText({ ...workspace, ...changes });
  change.note(workspaceFacts(workspace));
  const updatedAtMs = clock.nowMs();
  await storage.workspaces.describe(workspace.id, { ...text, updatedAtMs }, change.append);
  return { ...workspace, ...text, updatedAtMs };
}

/**
 * Closes a workspace: nobody reaches it with the next call, its keys are revoked, its name is free.
 * What it holds is purged afterwards.
 * @throws SandgateError `owner_conflict` for somebody's home
 */
export async function closeWorkspace(
  { storage, clock, change }: Omit<WorkspaceDependencies, 'randomness'>,
  workspace: Workspace,
): Promise<void> {
  change.note(workspaceFacts(workspace));
  await storage.workspaces.close(workspace.id, clock.nowMs(), change.append);
}

/**
 * Makes another member the owner; who was it, if anybody, becomes an admin.
 * @throws SandgateError `member_not_found`, `quota_exceeded` when the other owns as many as they may, or
 * `owner_conflict` for a home, which is its owner's for good
 */
export async function transferWorkspace(
  { storage, change }: Pick<WorkspaceDependencies, 'storage' | 'change'>,
  workspace: Workspace,
  toUserId: string,
  bound: OwnershipBound,
): Promise<void> {
  const { members } = storage;
  const all = await members.listOfWorkspace(workspace.id);
  const owner = all.find(({ member }) => member.role === 'owner')?.user ?? null;
  if (owner?.homeWorkspaceId === workspace.id) {
    throw new SandgateError('owner_conflict', 'The home of a person cannot be handed over');
  }
  const from = owner?.id ?? null;
  if (!(await members.transfer(workspace.id, from, toUserId, change.append, bound))) {
    throw new SandgateError('member_not_found', 'Only another member can become the owner');
  }
}

function requireWorkspaceText({ name, description }: WorkspaceText): WorkspaceText {
  const problems = [
    ...textProblems('name', name.trim(), mostNameCharacters),
    ...(name.trim() === '' ? ['name: is empty'] : []),
    ...textProblems('description', description, mostDescriptionCharacters),
  ];
  if (problems.length > 0) throw new SandgateError('invalid_request', problems.join('; '));
  return { name: name.trim(), description };
}

const textProblems = (field: string, text: string, most: number): readonly string[] => [
  ...([...text].length > most ? [`${field}: is longer than ${most} characters`] : []),
  ...(keyPattern.test(text) ? [`${field}: holds an API key, which is stored nowhere`] : []),
];

/** Readable, and with an ending that keeps two of the same name apart. */
export function slugFor(text: string, randomness: Randomness): string {
  const readable = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-|-$/g, '');
  const ending = Buffer.from(randomness.bytes(4)).toString('hex');
  return `${readable || 'workspace'}-${ending}`;
}
