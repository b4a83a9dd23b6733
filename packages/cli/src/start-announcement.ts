import type { StartedServer } from './server-launch.ts';
import type { Terminal } from './terminal.ts';
import { type CallerKey, curlLine } from './try-it.ts';

export function revokedText(revokedKeys: number): string {
  const keys = revokedKeys === 1 ? '1 API key is' : `${revokedKeys} API keys are`;
  return `The server key was reset: ${keys} invalid now. Make a new one with: msb server keygen`;
}

const developmentWarning = [
  '!! DEVELOPMENT MODE: no API key is asked for. Every program on this machine may start',
  '!! sandboxes and run code in them. Never use it in production.',
].join('\n');

function callerKey({ developmentMode, firstOperatorKey }: StartedServer): CallerKey {
  if (developmentMode) return { kind: 'none' };
  return firstOperatorKey === null
    ? { kind: 'variable' }
    : { kind: 'text', text: firstOperatorKey };
}

/** Prints the address, the first key, which is shown this once, and a line to paste. */
export function announce(terminal: Terminal, server: StartedServer): void {
  for (const warning of server.warnings) terminal.note(`Warning: ${warning}`);
  if (server.developmentMode) terminal.note(developmentWarning);
  terminal.print(`Sandgate is listening on ${server.address}\nIts state is in ${server.home}`);
  if (server.revokedKeys > 0) terminal.print(revokedText(server.revokedKeys));
  if (server.firstOperatorKey !== null) {
    terminal.print(
      `\nFirst operator key, shown this once and stored nowhere:\n  ${server.firstOperatorKey}`,
    );
  } else if (!server.developmentMode) {
    terminal.print('\nThe keys made earlier are valid. Another one: msb server keygen');
  }
  if (server.setupToken !== null) {
    terminal.print(
      `\nNobody has an account yet. The first one: msb users create --owner --email you@example.com\n(in a clone: npx msb …), or POST /auth/setup with this token, which is good until then or until the next start:\n  ${server.setupToken}`,
    );
  }
  terminal.print(`\nRun Python in a sandbox:\n  ${curlLine(server.address, callerKey(server))}\n`);
}
