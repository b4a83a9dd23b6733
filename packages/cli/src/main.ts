import { runProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exit(await runProgram(process.argv.slice(2), processTerminal()));
