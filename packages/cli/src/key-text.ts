import type { KeyRestrictions, RequestLimits } from '@sandgate/core';
import type { ApiKeyDetails, ApiKeyView, IssuedKeyView } from '@sandgate/server';
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

/** A new key with all that it is. */
export function issuedKeyFields({ key, text }: IssuedKeyView): string {
  return formatFields([['Token', text], ...fieldsOf(key)]);
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

export function keyFields(key: ApiKeyDetails): string {
  return formatFields([...fieldsOf(key), ['Limits', limitsText(key.limitsInForce)]]);
}

const fieldsOf = (key: ApiKeyView): readonly (readonly [name: string, value: string])[] => [
  ['ID', `${key.number} (${key.id})`],
  ['Name', key.name || '-'],
  ...(key.description === '' ? [] : [['Description', key.description] as const]),
  ['Namespace', key.namespace],
  ...(key.parentNumber === null ? [] : [['Child of', String(key.parentNumber)] as const]),
  ['Key', key.display],
  ['State', key.state],
  ['Scopes', key.scopes.join(', ')],
  ['Addresses', key.addressAllowList.join(', ') || 'any'],
  ...restrictionFields(key.restrictions),
  ['Created', timeText(key.createdAtMs)],
  ['Expires', timeText(key.expiresAtMs)],
  ['Last used', timeText(key.lastUsedAtMs)],
  ['Uses', String(key.usageCount)],
];

const restrictionLabels: Readonly<Record<keyof KeyRestrictions, string>> = {
  templates: 'Templates',
  sandboxId: 'Sandbox',
  sandboxNamePrefix: 'Names begin with',
  maxSandboxes: 'Most sandboxes',
  maxCpus: 'Most CPUs',
  maxMemoryMib: 'Most memory (MiB)',
  maxDiskMib: 'Most disk (MiB)',
  mcpTools: 'MCP tools',
};

const restrictionFields = (restrictions: KeyRestrictions) =>
  Object.entries(restrictions).map(([name, value]: [string, unknown]) => {
    const text = Array.isArray(value) ? value.join(', ') || 'none' : String(value);
    return [restrictionLabels[name as keyof KeyRestrictions], text] as const;
  });

const limitLabels: Readonly<Record<keyof RequestLimits, string>> = {
  minute: 'a minute',
  hour: 'an hour',
  day: 'a day',
  quota24h: 'in 24 hours (quota)',
};

function limitsText(limits: RequestLimits): string {
  const names = Object.keys(limitLabels) as (keyof RequestLimits)[];
  const set = names.filter((name) => limits[name] !== null);
  return set.map((name) => `${limits[name]} ${limitLabels[name]}`).join(', ') || 'none';
}
