import type { SandboxItem } from '@sandgate/server';
import { formatFields, formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { elapsedText } from './time-text.ts';

export function sandboxTable(
  sandboxes: readonly SandboxItem[],
  nowMs: number,
  { columns }: Pick<Terminal, 'columns'>,
): string {
  return formatTable(
    ['NAME', 'STATE', 'TEMPLATE', 'CPUS', 'MEMORY', 'AGE', 'ENDS IN', 'ID'],
    sandboxes.map((sandbox) => [
      sandbox.name,
      sandbox.state,
      sandbox.template,
      String(sandbox.resources.cpus),
      `${sandbox.resources.memory_mib} MiB`,
      elapsedText(nowMs - Date.parse(sandbox.created_at)),
      endsIn(sandbox, nowMs),
      sandbox.id,
    ]),
    { columns },
  );
}

function endsIn({ lifetime }: SandboxItem, nowMs: number): string {
  return lifetime.expires_at === null
    ? 'never'
    : elapsedText(Date.parse(lifetime.expires_at) - nowMs);
}

const pairs = (record: Readonly<Record<string, string>>): string =>
  Object.entries(record)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ') || 'none';

const duration = (seconds: number | null): string =>
  seconds === null ? 'none' : elapsedText(seconds * 1_000);

export function sandboxFields(sandbox: SandboxItem): string {
  const { resources, lifetime, egress } = sandbox;
  const fields: (readonly [name: string, value: string])[] = [
    ['Name', sandbox.name],
    ['ID', sandbox.id],
    ['State', sandbox.state],
    ['Template', sandbox.template],
    ['Resources', resourcesText(resources)],
    ['Network', [egress.mode, ...(egress.allow ?? [])].join(' ')],
    ['Labels', pairs(sandbox.labels)],
    ['Environment', sandbox.env_names.join(', ') || 'none'],
    ['Directory', sandbox.workdir],
    ['Expires', lifetime.expires_at ?? 'never'],
    ['Idle timeout', duration(lifetime.idle_timeout_seconds)],
    ['Created', sandbox.created_at],
    ['Last activity', sandbox.last_activity_at],
  ];
  for (const { volume_id, path, read_only } of sandbox.volumes) {
    fields.push(['Volume', `${volume_id} at ${path}${read_only ? ', read-only' : ''}`]);
  }
  const more = [
    ['Command', sandbox.command],
    ['Snapshot', sandbox.from_snapshot],
    ['Snapshots', sandbox.snapshot_schedule?.cron ?? null],
    ['Paused', sandbox.paused_at],
    ['Destroyed', sandbox.destroyed_at],
    ['Reason', sandbox.destroy_reason],
    ['Failure', sandbox.failure],
  ] as const;
  for (const [name, value] of more) if (value !== null) fields.push([name, value]);
  return formatFields(fields);
}

export const resourcesText = ({
  cpus,
  memory_mib,
  disk_mib,
  max_processes,
}: SandboxItem['resources']): string =>
  `${cpus} CPUs, ${memory_mib} MiB of memory, ${disk_mib} MiB of disk, ${max_processes} processes`;
