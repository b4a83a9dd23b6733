import type { SqliteConnection } from './sqlite-connection.ts';

const mostRemembered = 50_000;

/**
 * What was read of the database, for as long as nothing that matters was committed since, by whatever
 * process. So a reader finds exactly what the database would answer, and a revocation is seen by the
 * next one.
 */
export class RememberedReads<Value> {
  readonly #connection: Pick<SqliteConnection, 'version'>;
  readonly #values = new Map<string, Value>();
  #version = -1;

  constructor(connection: Pick<SqliteConnection, 'version'>) {
    this.#connection = connection;
  }

  get(name: string): Value | undefined {
    const { version } = this.#connection;
    if (version !== this.#version) {
      this.#values.clear();
      this.#version = version;
    }
    return this.#values.get(name);
  }

  /**
   * Keeps what was read when `get` had found nothing, without anything in between: a commit that came
   * meanwhile makes the next `get` forget it.
   */
  keep(name: string, value: Value): void {
    this.#values.set(name, value);
    if (this.#values.size <= mostRemembered) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      break;
    }
  }

  drop(name: string): void {
    this.#values.delete(name);
  }
}
