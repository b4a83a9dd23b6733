import type { ApiKeyView, IssuedKeyView } from '@sandgate/server';
import { formatFields, formatTable } from './table.ts';
import { timeText } from './time-text.ts';

/** A key as `--json` prints it. Times are RFC 3339, or null for never. */
export function keyJson(key: ApiKeyView): object {
  const { createdAtMs, expiresAtMs, lastUsedAtMs, ...rest } = key;
  const time = (timeMs: number | null) => (timeMs === null ? null : timeText(timeMs));
  return {
    ...rest,
    createdAt: time(createdAtMs),
    expiresAt: time(expiresAtMs),
    lastUsedAt: time(lastUsedAtMs),
  };
}

/** The three lines of a new key: the only place where its text is printed. */
export function issuedKeyLines({ key, text }: IssuedKeyView): string {
  return [
    `Token: ${text}`,
    `Token expires: ${timeText(key.expiresAtMs)}`,
    `Namespace: ${key.namespace}`,
  ].join('\n');
}

export function issuedKeyJson({ key, text }: IssuedKeyView): object {
  return { token: text, ...keyJson(key) };
}

export function keyTable(keys: readonly ApiKeyView[]): string {
  return formatTable(
    ['ID', 'NAME', 'NAMESPACE', 'KEY', 'STATE', 'EXPIRES', 'LAST USED', 'USES'],
    keys.map((key) => [
      String(key.number),
      key.name || '-',
      key.namespace,
      key.display,
      key.state,
      timeText(key.expiresAtMs),
      timeText(key.lastUsedAtMs),
      String(key.usageCount),
    ]),
  );
}

export function keyFields(key: ApiKeyView): string {
  return formatFields([
    ['ID', `${key.number} (${key.id})`],
    ['Name', key.name || '-'],
    ['Namespace', key.namespace],
    ['Key', key.display],
    ['State', key.state],
    ['Scopes', key.scopes.join(', ')],
    ['Created', timeText(key.createdAtMs)],
    ['Expires', timeText(key.expiresAtMs)],
    ['Last used', timeText(key.lastUsedAtMs)],
    ['Uses', String(key.usageCount)],
  ]);
}
