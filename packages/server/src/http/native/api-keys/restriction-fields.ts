import type { KeyRestrictions } from '@sandgate/core';
import { z } from 'zod';
import { heldKey, holdsNoKey } from '../shared-schemas.ts';

/** By their names at this door. */
const names = {
  templates: 'templates',
  sandbox: 'sandboxId',
  sandbox_name_prefix: 'sandboxNamePrefix',
  max_sandboxes: 'maxSandboxes',
  max_cpus: 'maxCpus',
  max_memory_mib: 'maxMemoryMib',
  max_disk_mib: 'maxDiskMib',
  mcp_tools: 'mcpTools',
} as const satisfies Readonly<Record<string, keyof KeyRestrictions>>;

const list = z.array(z.string().min(1).max(200).refine(holdsNoKey, heldKey)).max(100);
const amount = z.number().positive();

/** What a key may touch. What is left out is not restricted. */
export const restrictions = z
  .strictObject({
    templates: list.meta({ description: 'Names of templates or images' }),
    sandbox: z
      .string()
      .length(24)
      .meta({ description: 'Id of the only one. The key dies with it' }),
    sandbox_name_prefix: z.string().min(1).max(63),
    max_sandboxes: z
      .int()
      .positive()
      .meta({ description: 'That it and its descendants made and that are not destroyed' }),
    max_cpus: amount.meta({ description: 'Of each sandbox' }),
    max_memory_mib: amount,
    max_disk_mib: amount,
    mcp_tools: list.meta({ description: 'As in github/create_issue, github/* or */read_*' }),
  })
  .partial();

type Fields = z.output<typeof restrictions>;

const renamed = (from: object, to: (name: string) => string | undefined): object =>
  Object.fromEntries(
    Object.entries(from).flatMap(([name, value]) => {
      const other = to(name);
      return value === undefined || other === undefined ? [] : [[other, value]];
    }),
  );

export const toRestrictions = (fields: Fields): KeyRestrictions =>
  renamed(fields, (name) => names[name as keyof typeof names]);

export const restrictionFields = (from: KeyRestrictions): Fields =>
  renamed(from, (name) => Object.entries(names).find(([, own]) => own === name)?.[0]);
