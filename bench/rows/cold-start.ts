import { type LoopLanguage, timeLoopToFirstOutput } from '../bubblewrap-by-hand.ts';
import { callMethod, type KeepAliveClient } from '../keep-alive-client.ts';
import { atMostTimes, type Row } from '../row.ts';
import { median } from '../statistics.ts';

const rounds = 25;

/** `sandbox.start`, then a first print, against the same by hand; both in turn. */
export async function coldStart(client: KeepAliveClient, language: LoopLanguage): Promise<Row> {
  const code = language === 'python' ? 'print(1)' : 'console.log(1)';
  const ours: number[] = [];
  const byHand: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const sandbox = `cold-${language}-${round}`;
    const startedMs = performance.now();
    await callMethod(client, 'sandbox.start', {
      sandbox,
      config: { image: `microsandbox/${language}` },
    });
    const { output } = await callMethod(client, 'sandbox.repl.run', { sandbox, language, code });
    ours.push(performance.now() - startedMs);
    if (output[0]?.text !== '1') throw new Error(`Unexpected output: ${JSON.stringify(output)}`);
    await callMethod(client, 'sandbox.stop', { sandbox });
    byHand.push(await timeLoopToFirstOutput(language));
  }
  return atMostTimes(1.5, {
    what: `start to first output, cold, ${language}`,
    unit: 'ms',
    ours: median(ours),
    peer: { name: 'bubblewrap by hand', value: median(byHand) },
  });
}
