import { type OwnershipBound, SandgateError } from '@sandgate/core';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Inside the transaction that makes the person the owner of one more. @throws SandgateError `quota_exceeded` */
export function requireRoomToOwn(
  connection: SqliteConnection,
  userId: string,
  { mostOwned }: OwnershipBound,
): void {
  if (mostOwned === undefined) return;
  const owned = connection.first(
    connection.queries
      .selectFrom('members')
      .innerJoin('workspaces', 'workspaces.id', 'members.workspace_id')
      .select((column) => column.fn.countAll<number>().as('workspaces'))
      .where('members.user_id', '=', userId)
      .where('members.role', '=', 'owner')
      .where('workspaces.closed_at_ms', 'is', null),
  );
  if ((owned?.workspaces ?? 0) < mostOwned) return;
  throw new SandgateError(
    'quota_exceeded',
    `A person owns ${mostOwned} workspaces at most, their home among them. Close one, or ask the operator to raise identity.workspacesPerPerson`,
  );
}
