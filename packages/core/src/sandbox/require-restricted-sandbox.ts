import { SandgateError } from '../error/sandgate-error.ts';
import type { KeyRestrictions } from '../key/key-restrictions.ts';
import type { SandboxResources } from './sandbox-definition.ts';
import type { SandboxReach } from './sandbox-reach.ts';
import type { StartDefaults } from './template.ts';

interface WantedSandbox {
  /** Undefined: the server would choose one. */
  readonly name: string | undefined;
  readonly template: string;
  readonly resources: Partial<SandboxResources> | undefined;
  /** Of a stored definition, for what is not asked for. */
  readonly otherwise: SandboxResources | undefined;
  /** For what nothing else says: then no more than the key may have. */
  readonly defaults: SandboxResources;
}

const bounds = [
  ['cpus', 'maxCpus', 'CPUs'],
  ['memoryMib', 'maxMemoryMib', 'MiB of memory'],
  ['diskMib', 'maxDiskMib', 'MiB of disk'],
] as const;

/**
 * What a key may start.
 * @returns the resources to ask for
 * @throws SandgateError `key_restricted`, naming everything that the key may not have
 */
export function requireRestrictedSandbox(
  reach: SandboxReach,
  restrictions: KeyRestrictions,
  { name, template, resources = {}, otherwise, defaults }: WantedSandbox,
): Partial<SandboxResources> {
  const problems: string[] = [];
  const { sandboxNamePrefix, templates = [] } = restrictions;
  if (sandboxNamePrefix !== undefined && !(name?.startsWith(sandboxNamePrefix) ?? false)) {
    problems.push(`the names of its sandboxes begin with "${sandboxNamePrefix}"`);
  }
  if (!reach.holdsTemplate(template)) {
    problems.push(`its sandboxes are made of ${templates.join(' or ') || 'nothing'}`);
  }
  const asked: { -readonly [Name in keyof SandboxResources]?: number } = { ...resources };
  for (const [resource, bound, unit] of bounds) {
    const most = restrictions[bound];
    if (most === undefined) continue;
    const wanted = resources[resource] ?? otherwise?.[resource];
    if (wanted === undefined) asked[resource] = Math.min(defaults[resource], most);
    else if (wanted > most) problems.push(`its sandboxes have up to ${most} ${unit}`);
  }
  if (problems.length === 0) return asked;
  throw new SandgateError('key_restricted', `This API key is restricted: ${problems.join('; ')}`);
}

/** What a key gets where it says nothing, and how much it may ask for. */
export function narrowStartDefaults(
  { resources, maxima, ...rest }: StartDefaults,
  restrictions: KeyRestrictions,
): StartDefaults {
  const narrow = (wide: SandboxResources): SandboxResources => {
    const narrowed: { -readonly [Name in keyof SandboxResources]: number } = { ...wide };
    for (const [resource, bound] of bounds) {
      narrowed[resource] = Math.min(wide[resource], restrictions[bound] ?? wide[resource]);
    }
    return narrowed;
  };
  return { ...rest, resources: narrow(resources), maxima: narrow(maxima) };
}
