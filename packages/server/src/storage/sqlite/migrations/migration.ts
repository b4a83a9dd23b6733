/** One step of the schema. A migration that was released is never changed: another one follows it. */
export interface Migration {
  /** The version that the database has afterwards: 1 for the first, without gaps. */
  readonly version: number;
  /** Statements that run together in one transaction. */
  readonly sql: string;
  /**
   * The statements change the texts in `sqlite_schema`, where what is stored fits the new definition
   * as it is. Nothing is checked but that they parse.
   */
  readonly editsSchema?: boolean;
}
