import { callMethod, type KeepAliveClient } from './keep-alive-client.ts';

const sandboxes = 40;
const callsEach = 20;

/**
 * Makes the server one that has been in use: its own code is compiled by then. What is measured
 * after it is the sandboxes', which are as cold as ever.
 */
export async function warmUp(client: KeepAliveClient): Promise<void> {
  for (let round = 0; round < sandboxes; round += 1) {
    const sandbox = `warm-up-${round}`;
    await callMethod(client, 'sandbox.start', { sandbox });
    for (let call = 0; call < callsEach; call += 1) {
      await callMethod(client, 'sandbox.repl.run', { sandbox, language: 'python', code: '1' });
    }
    await callMethod(client, 'sandbox.stop', { sandbox });
  }
}
