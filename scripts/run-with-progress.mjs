import { spawn } from 'node:child_process';

const tickMs = 1_000;
/** Where nobody watches a terminal, a line now and then shows that work goes on. */
const lineEveryTicks = 10;

/**
 * Runs a program quietly. When it takes longer than a second, a line on stderr says what is going
 * on and for how long. When it fails, everything it wrote is in the error's message.
 */
export async function runWithProgress(title, program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));

  let seconds = 0;
  const onTerminal = process.stderr.isTTY === true;
  const ticker = setInterval(() => {
    seconds += tickMs / 1_000;
    if (onTerminal) process.stderr.write(`\r${title} … ${seconds} s`);
    else if (seconds === 1) process.stderr.write(`${title} …\n`);
    else if (seconds % lineEveryTicks === 0) process.stderr.write(`${title} … ${seconds} s\n`);
  }, tickMs);

  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
    });
    if (code !== 0) {
      const text = Buffer.concat(output).toString('utf8').trim();
      throw new Error(`${title}: ${program} ${args[0] ?? ''} ended with ${code}\n${text}`);
    }
  } finally {
    clearInterval(ticker);
    if (onTerminal && seconds > 0) process.stderr.write('\n');
  }
}
