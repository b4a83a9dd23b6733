import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';

const longestSecret = 4_096;

/**
 * Asks for a secret on a terminal, which shows nothing of what is typed, and else reads the first
 * line of what is piped in. Never from an argument: every user of the machine sees those.
 */
export async function readSecret(
  input: NodeJS.ReadStream | ReadStream,
  output: NodeJS.WriteStream | WriteStream,
  question: string,
): Promise<string> {
  if (!input.isTTY) return await firstLine(input);
  output.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new Error('Nothing was changed.')));
      lines.once('close', () => reject(new Error('Nothing was changed.')));
    });
  } finally {
    lines.close();
    output.write('\n');
  }
}

async function firstLine(input: NodeJS.ReadStream): Promise<string> {
  let text = '';
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('\n') || text.length > longestSecret) break;
  }
  return text.split(/\r?\n/, 1)[0] ?? '';
}
