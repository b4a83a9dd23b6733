import { egressModes } from '@sandgate/core';
import type { EgressFields } from '@sandgate/server';
import { type Command, Option } from 'commander';
import { repeatedOption } from './pair-option.ts';

export interface EgressOptions {
  readonly egress?: (typeof egressModes)[number];
  readonly allow?: readonly string[];
}

export function addEgressOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--egress <mode>',
        'network: none, all of the internet, or what is allowed',
      ).choices(egressModes),
    )
    .option(
      '--allow <host>',
      'host name, address or CIDR block that it may reach, with nothing else; may be repeated',
      repeatedOption,
    );
}

/** `--allow` alone restricts. What does not go together is the server's to say. */
export function egressField({ egress, allow }: EgressOptions): EgressFields | undefined {
  const mode = egress ?? (allow === undefined ? undefined : ('restricted' as const));
  if (mode === undefined) return undefined;
  return allow === undefined ? { mode } : { mode, allow: [...allow] };
}
