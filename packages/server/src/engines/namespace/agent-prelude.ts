import { readFileSync } from 'node:fs';
import { shellCall } from '../quote-shell.ts';
import { guestHome, guestUid } from './engine-options.ts';

export interface AgentPrograms {
  readonly setsid: string;
  readonly env: string;
  /** `env` knows `--default-signal` (GNU coreutils from 8.31 on). */
  readonly envResetsSignals: boolean;
  readonly shell: string;
}

/** Text of the agent, without its comments. */
export function readAgentScript(): string {
  const text = readFileSync(new URL('../../../guest/agent.sh', import.meta.url), 'utf8');
  return text.replace(/^\s*#.*\n/gm, '').replace(/^\n/gm, '');
}

/** What the server says to a new agent; `limits` is a script that sets its limits. Its answer is the line `ready` on fd 3. */
export function agentPrelude(script: string, programs: AgentPrograms, limits: string): string {
  const reset = programs.envResetsSignals ? '--default-signal=INT,QUIT' : '';
  return [
    script,
    shellCall('configure', programs.setsid, programs.env, reset, programs.shell),
    `${limits}\n`,
    'echo ready >&3; exec 3>&-\n',
  ].join('');
}

/**
 * Calls that make the files of `/etc` which are not there yet: the sandbox's own, not the host's. `accounts` is
 * what its image says of users, to which the sandbox's own is added.
 */
export function provideConfiguration(
  hostname: string,
  accounts: { readonly passwd: string; readonly group: string } = { passwd: '', group: '' },
): string {
  const files: Readonly<Record<string, string>> = {
    passwd: withLine(
      accounts.passwd,
      `sandbox:x:${guestUid}:${guestUid}:sandbox:${guestHome}:/bin/sh`,
    ),
    group: withLine(accounts.group, `sandbox:x:${guestUid}:`),
    hostname: `${hostname}\n`,
    hosts: `127.0.0.1 localhost\n::1 localhost\n127.0.1.1 ${hostname}\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
    'resolv.conf': '',
  };
  return Object.entries(files)
    .map(([name, text]) => shellCall('provide', `/etc/${name}`, text))
    .join('');
}

/** First, so that it is the one whose name is found for its number. */
const withLine = (lines: string, line: string): string => `${line}\n${lines}`;
