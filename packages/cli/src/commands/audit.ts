import type { AuditEntry, AuditHead, AuditVerification } from '@sandgate/core';
import type { AuditEntryView, AuditQuery } from '@sandgate/server';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { timeForms, timeOption } from '../time-option.ts';
import { timeText } from '../time-text.ts';

interface ListOptions extends KeyStoreOptions {
  readonly key?: string;
  readonly user?: string;
  readonly namespace?: string;
  readonly action?: string;
  readonly outcome?: AuditEntry['outcome'];
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  readonly json?: true;
}

const queryOf = (options: ListOptions): AuditQuery => ({
  ...(options.key === undefined ? {} : { key: options.key }),
  ...(options.user === undefined ? {} : { user: options.user }),
  ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  action: options.action,
  outcome: options.outcome,
  fromMs: options.from,
  toMs: options.to,
});

function actorText({ actor }: AuditEntryView): string {
  if (actor.kind === 'user') return `user ${actor.userNumber}`;
  return actor.kind === 'key' ? `key ${actor.keyNumber}` : actor.kind;
}

function entryJson({ atMs, ...entry }: AuditEntryView): object {
  return { ...entry, at: timeText(atMs) };
}

function entryTable(entries: readonly AuditEntryView[]): string {
  return formatTable(
    ['NO.', 'TIME', 'WHO', 'ACTION', 'TARGET', 'OUTCOME', 'NAMESPACE', 'FROM'],
    entries.map((entry) => [
      String(entry.sequence),
      timeText(entry.atMs),
      actorText(entry),
      entry.action,
      entry.target ?? '-',
      entry.outcome,
      entry.namespace ?? '-',
      entry.address ?? '-',
    ]),
  );
}

function addList(audit: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(audit.command('list'))
    .description('List changes and refusals, newest first.')
    .option('--key <key>', 'only what this key did: its number or 24-digit id')
    .option('--user <person>', 'only what this person did: e-mail address, number or id')
    .option('-n, --namespace <name>', "only this namespace's")
    .option('--action <action>', 'only this, as in key.revoke')
    .addOption(
      new Option('--outcome <outcome>', 'only these').choices(['done', 'refused', 'failed']),
    )
    .option('--from <time>', `since then: ${timeForms}`, timeOption)
    .option('--to <time>', 'before then', timeOption)
    .option('--limit <count>', 'how many entries', wholeNumberOption(1), 50)
    .option('--json', 'print JSON')
    .action(async (options: ListOptions) => {
      const entries = await administer(terminal, options, (administration) =>
        administration.listAudit(queryOf(options), options.limit),
      );
      if (options.json) terminal.print(JSON.stringify(entries.map(entryJson)));
      else terminal.print(entries.length === 0 ? 'No entries found' : entryTable(entries));
    });
  addExamples(
    command,
    'msb audit list --action key.revoke',
    'msb audit list --outcome refused --from "7d ago" --json',
  );
}

function anchorOption(text: string): AuditHead {
  const [, sequence, hash] = /^([0-9]{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence !== undefined && hash !== undefined) return { sequence: Number(sequence), hash };
  throw new InvalidArgumentError('It must be a head as msb audit verify printed it.');
}

const headText = ({ sequence, hash }: AuditHead): string => `${sequence}:${hash}`;

function verificationText({ intact, entries, findings, remarks, head }: AuditVerification): string {
  return [
    ...remarks.map((remark) => `Note: ${remark}`),
    ...findings.map(({ kind, sequence, message }) => `${sequence}  ${kind}  ${message}`),
    ...(intact ? [`The audit log is intact: ${entries} entries.`] : []),
    `Head: ${headText(head)}`,
  ].join('\n');
}

function addVerify(audit: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(audit.command('verify'))
    .description(
      'Read the whole audit log, and say where it was changed. Prints its head: note it somewhere ' +
        'else, and give it next time, which also finds a log that was set back as a whole.',
    )
    .option('--anchor <head>', 'a head that was printed before, as in 12:5f0c…', anchorOption)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when something was found.')
    .action(async (options: KeyStoreOptions & { anchor?: AuditHead; json?: true }) => {
      const verified = await administer(terminal, options, (administration) =>
        administration.verifyAudit(options.anchor),
      );
      const json = () => JSON.stringify({ ...verified, head: headText(verified.head) });
      terminal.print(options.json ? json() : verificationText(verified));
      const [first] = verified.findings;
      if (first === undefined) return;
      throw failure(`The audit log was changed or damaged, first at entry ${first.sequence}.`);
    });
  addExamples(command, 'msb audit verify', `msb audit verify --anchor 12:${'5f0c'.repeat(16)}`);
}

/** `audit list | verify`. */
export function addAudit(parent: Command, terminal: Terminal): void {
  const audit = parent.command('audit').description('See who changed what, and prove it.');
  addList(audit, terminal);
  addVerify(audit, terminal);
}
