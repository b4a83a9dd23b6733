import { type Expression, type SqlBool, sql } from 'kysely';

/** LIKE ignores the case of ASCII letters; its wildcards are searched for as they are. */
export function contains(
  column: 'name' | 'description' | 'email',
  text: string,
): Expression<SqlBool> {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`${sql.ref(column)} like ${pattern} escape '\\'`;
}

/** By exact case; the wildcards of GLOB stand for themselves. */
export function beginsWith(column: 'name', prefix: string): Expression<SqlBool> {
  const pattern = `${prefix.replace(/[*?[]/g, '[$&]')}*`;
  return sql<boolean>`${sql.ref(column)} glob ${pattern}`;
}
