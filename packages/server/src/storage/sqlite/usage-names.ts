import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';

/** Numbers kept in memory before they are forgotten and looked up anew: some megabytes. */
const mostRemembered = 20_000;

/** A row of no workspace, and a sum over all of them. */
export const noWorkspace = 0;

interface Numbered {
  readonly number: number;
}

/**
 * The small numbers that stand for routes and workspaces in usage tables. A number that was given
 * in a transaction is remembered once `keep` is called, after the commit: an undone one never is.
 */
export class UsageNames {
  readonly #remembered = new Map<string, number>();
  readonly #fresh = new Map<string, number>();
  readonly #findRoute: PreparedStatement<Numbered>;
  readonly #addRoute: PreparedStatement<Numbered>;
  readonly #findWorkspace: PreparedStatement<Numbered>;
  readonly #addWorkspace: PreparedStatement<Numbered>;

  constructor(connection: SqliteConnection) {
    this.#findRoute = connection.prepare(
      'select number from usage_routes where endpoint = ? and method = ?',
    );
    this.#addRoute = connection.prepare(
      'insert into usage_routes (endpoint, method) values (?, ?) returning number',
    );
    this.#findWorkspace = connection.prepare(
      'select number from usage_workspaces where workspace_id = ?',
    );
    this.#addWorkspace = connection.prepare(
      'insert into usage_workspaces (workspace_id) values (?) returning number',
    );
  }

  /** Inside a transaction. */
  routeNumber(method: string, endpoint: string): number {
    return this.#number(`${method} ${endpoint}`, this.#findRoute, this.#addRoute, [
      endpoint,
      method,
    ]);
  }

  /** Inside a transaction. */
  workspaceNumber(workspaceId: string | null): number {
    if (workspaceId === null) return noWorkspace;
    return this.#number(workspaceId, this.#findWorkspace, this.#addWorkspace, [workspaceId]);
  }

  /** Null when no request was ever about it. */
  knownWorkspaceNumber(workspaceId: string): number | null {
    return (
      this.#remembered.get(workspaceId) ?? this.#findWorkspace.get(workspaceId)?.number ?? null
    );
  }

  keep(): void {
    if (this.#fresh.size === 0) return;
    if (this.#remembered.size > mostRemembered) this.#remembered.clear();
    for (const [name, number] of this.#fresh) this.#remembered.set(name, number);
    this.#fresh.clear();
  }

  drop(): void {
    this.#fresh.clear();
  }

  #number(
    name: string,
    find: PreparedStatement<Numbered>,
    add: PreparedStatement<Numbered>,
    parameters: readonly string[],
  ): number {
    const known = this.#remembered.get(name) ?? this.#fresh.get(name);
    if (known !== undefined) return known;
    const found = find.get(...parameters) ?? add.get(...parameters);
    if (found === undefined) throw new Error(`no number was given to ${name}`);
    this.#fresh.set(name, found.number);
    return found.number;
  }
}
