import type { KeyRestrictions } from '@sandgate/core';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** As commander reads them; `any` is of use when a key is changed. */
export interface RestrictionOptions {
  readonly templates?: readonly string[] | 'any';
  readonly sandbox?: string;
  readonly sandboxPrefix?: string;
  readonly maxSandboxes?: number | 'any';
  readonly maxCpus?: number | 'any';
  readonly maxMemory?: number | 'any';
  readonly maxDisk?: number | 'any';
  readonly mcpTools?: readonly string[] | 'any';
}

const listOption = (text: string): readonly string[] | 'any' =>
  text === 'any' ? 'any' : text.split(',').map((part) => part.trim());

function amountOption(text: string): number | 'any' {
  if (text === 'any') return 'any';
  const amount = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : 0;
  if (amount > 0) return amount;
  throw new InvalidArgumentError('It must be a number above 0, or "any".');
}

/** What a key may touch. `any` lifts a restriction. */
export function addRestrictionOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--templates <names>', 'what its sandboxes may be made of').argParser(listOption),
    )
    .option('--sandbox <id>', 'the only sandbox that it may touch, and dies with')
    .option('--sandbox-prefix <text>', 'what the names of its sandboxes begin with')
    .option('--max-sandboxes <n>', 'sandboxes of it and its children at a time', amountOption)
    .option('--max-cpus <n>', 'CPUs of each of its sandboxes', amountOption)
    .option('--max-memory <mib>', 'memory of each of its sandboxes, in MiB', amountOption)
    .option('--max-disk <mib>', 'disk of each of its sandboxes, in MiB', amountOption)
    .option('--mcp-tools <patterns>', 'tools that it may call: github/*,*/read_*', listOption);
}

const optionOf = {
  templates: 'templates',
  sandboxId: 'sandbox',
  sandboxNamePrefix: 'sandboxPrefix',
  maxSandboxes: 'maxSandboxes',
  maxCpus: 'maxCpus',
  maxMemoryMib: 'maxMemory',
  maxDiskMib: 'maxDisk',
  mcpTools: 'mcpTools',
} as const satisfies Readonly<Partial<Record<keyof KeyRestrictions, keyof RestrictionOptions>>>;

/** What is to be restricted, and what is not any more: those are `undefined`. */
export function restrictionChanges(options: RestrictionOptions): {
  readonly [Name in keyof KeyRestrictions]?: KeyRestrictions[Name] | undefined;
} {
  const given = Object.entries(optionOf).flatMap(([name, option]) => {
    const value = options[option];
    return value === undefined ? [] : [[name, value === 'any' ? undefined : value]];
  });
  return Object.fromEntries(given);
}

/** The same for a new key. */
export const newRestrictions = (options: RestrictionOptions): KeyRestrictions =>
  Object.fromEntries(
    Object.entries(restrictionChanges(options)).filter(([, value]) => value !== undefined),
  );
