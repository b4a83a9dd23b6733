import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import {
  type Compilable,
  type CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Schema } from './schema.ts';
import { toStorageFailure } from './storage-failure.ts';

/**
 * What a commit waits for. `full`: the disk has it, so that a power failure cannot undo it.
 * `normal`: the operating system has it, which a killed process cannot undo.
 */
export type Durability = 'normal' | 'full';

/** The write-ahead log, as whoever fills it has to know it. */
export interface WriteAheadLog {
  /** Told after each transaction how many rows it changed. */
  committed(changes: number): void;
  /** While the log is begun anew: when that is over. A write at this time would wait in its thread. */
  readonly held: Promise<void> | null;
}

const unattended: WriteAheadLog = { committed: () => undefined, held: null };

/** A statement that is prepared once; its rows have the columns that `Row` names. */
export interface PreparedStatement<Row> {
  get(...parameters: SQLInputValue[]): Row | undefined;
  all(...parameters: SQLInputValue[]): Row[];
  /** @returns how many rows it changed */
  run(...parameters: SQLInputValue[]): number;
  /** @returns the number that SQLite gave to the row that it stored last */
  insert(...parameters: SQLInputValue[]): number;
}

/**
 * One connection. Queries are written with Kysely, which checks them against the schema, and run
 * here: synchronously, so that no other work of this process can slip into a transaction.
 */
export class SqliteConnection {
  /** Builds queries. It runs none: `execute()` on one of its queries finds nothing. */
  readonly queries: Kysely<Schema> = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  readonly #database: DatabaseSync;
  /** By SQL text, of which there are as many as there are queries in the source. */
  readonly #statements = new Map<string, StatementSync>();
  readonly #log: WriteAheadLog;
  readonly #dataVersion: StatementSync;
  #durability: Durability | null = null;
  #changes = 0;
  #version = 0;
  #seenDataVersion: SQLOutputValue | undefined;
  #momentIsFixed = false;

  constructor(database: DatabaseSync, log: WriteAheadLog = unattended) {
    this.#database = database;
    this.#log = log;
    // Moves when another connection, of whatever process, commits. Our own commits are counted here.
    this.#dataVersion = database.prepare('pragma data_version');
  }

  /**
   * Grows with every commit that may have changed what was read before: all of other processes, and
   * all of this one but those that only add usage.
   */
  get version(): number {
    if (!this.#momentIsFixed) this.#lookAtDataVersion();
    return this.#version;
  }

  /** Commits of other processes are looked for once, before `work`, and not again until it is over. */
  atOneMoment<Result>(work: () => Result): Result {
    if (this.#momentIsFixed) return work();
    this.#lookAtDataVersion();
    this.#momentIsFixed = true;
    try {
      return work();
    } finally {
      this.#momentIsFixed = false;
    }
  }

  /**
   * Null where a write may go ahead at once; else it is asked again when this resolves. For writes of
   * which there are many: one that comes nevertheless waits, and everything in this process with it.
   */
  get held(): Promise<void> | null {
    return this.#log.held;
  }

  all<Row>(query: Compilable<Row>): Row[] {
    return this.#guard(() => {
      const compiled = query.compile();
      return this.#prepare(compiled.sql)
        .all(...parametersOf(compiled))
        .map(asRow<Row>);
    });
  }

  first<Row>(query: Compilable<Row>): Row | undefined {
    return this.#guard(() => {
      const compiled = query.compile();
      const row = this.#prepare(compiled.sql).get(...parametersOf(compiled));
      return row === undefined ? undefined : asRow<Row>(row);
    });
  }

  /** Runs a change inside `transaction`, and tells how many rows it changed. */
  run(query: Compilable<unknown>): number {
    return this.#guard(() => {
      const compiled = query.compile();
      return this.#count(this.#prepare(compiled.sql).run(...parametersOf(compiled)).changes);
    });
  }

  /** For the few statements that every request runs, where building a query would be most of the cost. */
  prepare<Row>(sql: string): PreparedStatement<Row> {
    const statement = this.#guard(() => this.#database.prepare(sql));
    return {
      get: (...parameters) =>
        this.#guard(() => {
          const row = statement.get(...parameters);
          return row === undefined ? undefined : asRow<Row>(row);
        }),
      all: (...parameters) => this.#guard(() => statement.all(...parameters).map(asRow<Row>)),
      run: (...parameters) => this.#guard(() => this.#count(statement.run(...parameters).changes)),
      insert: (...parameters) =>
        this.#guard(() => {
          const { changes, lastInsertRowid } = statement.run(...parameters);
          this.#count(changes);
          return Number(lastInsertRowid);
        }),
    };
  }

  /**
   * Runs `work` in one transaction, committed when this returns, or undone when it throws. It takes
   * the write lock at its start: one that first reads and then writes could lose to another writer
   * in between, without a second chance.
   */
  transaction<Result>(durability: Durability, work: () => Result): Result {
    try {
      return this.addUsage(durability, work);
    } finally {
      this.#version += 1;
    }
  }

  /**
   * A transaction that changes nothing but usage, that of keys included, so that everything else stays
   * as it was read.
   */
  addUsage<Result>(durability: Durability, work: () => Result): Result {
    return this.#guard(() => {
      this.#setDurability(durability);
      this.#prepare('begin immediate').run();
      try {
        const result = work();
        this.#prepare('commit').run();
        this.#log.committed(this.#changes);
        this.#changes = 0;
        return result;
      } catch (error) {
        // SQLite itself undoes some failed transactions, on a full disk for one.
        if (this.#database.isTransaction) this.#prepare('rollback').run();
        throw error;
      }
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#guard(() => this.#database.close());
  }

  #lookAtDataVersion(): void {
    const seen = this.#guard(() => this.#dataVersion.get()?.data_version);
    if (seen === this.#seenDataVersion) return;
    this.#seenDataVersion = seen;
    this.#version += 1;
  }

  #count(changes: number | bigint): number {
    this.#changes += Number(changes);
    return Number(changes);
  }

  #setDurability(durability: Durability): void {
    if (this.#durability === durability) return;
    this.#database.exec(`pragma synchronous = ${durability}`);
    this.#durability = durability;
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw toStorageFailure(error);
    }
  }
}

const parametersOf = (compiled: CompiledQuery): SQLInputValue[] =>
  compiled.parameters as SQLInputValue[];

/** STRICT tables hold what the schema says, and every migration is covered by the same types. */
const asRow = <Row>(row: Record<string, SQLOutputValue>): Row => row as Row;
