import { type ApiKey, type ApiKeySecret, mostAncestors, SandgateError } from '@sandgate/core';
import type { KeyAncestors } from './key-ancestors.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/**
 * What must still be so when a key is stored. Asked inside the transaction that stores it: whoever
 * decided to make the key may have seen what was there before.
 */
export class KeyRequirements {
  readonly #connection: SqliteConnection;
  readonly #ancestors: KeyAncestors;

  constructor(connection: SqliteConnection, ancestors: KeyAncestors) {
    this.#connection = connection;
    this.#ancestors = ancestors;
  }

  /** A child of a key that was revoked meanwhile would live on by itself. */
  livingParent(number: number | null): void {
    if (number === null) return;
    const parent = this.#ancestors.row(number);
    if (parent === undefined || parent.revoked_at_ms !== null) {
      throw new SandgateError(
        'key_revoked',
        'The API key that this one would be a child of is revoked, and stays so',
      );
    }
    if (this.#ancestors.of(parent).length < mostAncestors) return;
    throw new SandgateError(
      'invalid_request',
      `An API key has ${mostAncestors} ancestors at most. Make this one a child of a key higher up`,
    );
  }

  /** A key of a sandbox that was destroyed meanwhile would never die with it. */
  livingSandbox({
    workspaceId,
    restrictions: { sandboxId },
  }: Pick<ApiKey, 'workspaceId' | 'restrictions'>): void {
    if (sandboxId === undefined) return;
    const found = this.#connection.first(
      this.#connection.queries
        .selectFrom('sandboxes')
        .select(['workspace_id', 'state'])
        .where('id', '=', sandboxId),
    );
    const reached = workspaceId === null || found?.workspace_id === workspaceId;
    if (found !== undefined && found.state !== 'destroyed' && reached) return;
    throw new SandgateError('sandbox_not_found', `Sandbox '${sandboxId}' not found`);
  }

  /**
   * A key that was being made while the server key was replaced would be stored as a living key
   * that no request can use.
   */
  currentServerKey(secret: ApiKeySecret): void {
    const current = this.#connection.first(
      this.#connection.queries
        .selectFrom('server_keys')
        .select('version')
        .orderBy('version', 'desc')
        .limit(1),
    );
    if (current?.version === secret.serverKeyVersion) return;
    throw new SandgateError(
      'server_key_mismatch',
      'The server key was replaced while the API key was being made. Try again',
      {
        detail: `digest under version ${secret.serverKeyVersion}, current is ${current?.version ?? 'none'}`,
      },
    );
  }
}
