import { readSecret } from './read-secret.ts';

/** Where a command comes from and where its answer goes. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly currentFolder: string;
  /** Answers go to a terminal, which obeys control characters, and not to a file or a program. Default: false. */
  readonly answersAreShown?: boolean;
  /** The same, for notes. */
  readonly notesAreShown?: boolean;
  /** Characters in a line of the terminal that shows answers. Default: lines have no end. */
  readonly columns?: number;
  /** The answer, for a person or a program to read. */
  print(text: string): void;
  /** Part of an answer as it is, without a line end added. */
  write(data: string | Uint8Array): void;
  /** Secrets come from a program, and are not asked for twice. Default: false. */
  readonly secretsArePiped?: boolean;
  /** A secret: asked for without showing it on a terminal, else the first line of standard input. */
  readSecret(question: string): Promise<string>;
  /** What is going on, warnings and errors. */
  note(text: string): void;
  /** Part of what goes beside the answer as it is, without a line end added. */
  writeNote(data: string | Uint8Array): void;
}

/** `print` and `note` add the line end. */
export function processTerminal(): Terminal {
  return {
    environment: process.env,
    currentFolder: process.cwd(),
    answersAreShown: process.stdout.isTTY === true,
    notesAreShown: process.stderr.isTTY === true,
    ...(process.stdout.isTTY === true ? { columns: process.stdout.columns } : {}),
    print: (text) => void process.stdout.write(`${text}\n`),
    write: (data) => void process.stdout.write(data),
    secretsArePiped: process.stdin.isTTY !== true,
    readSecret: (question) => readSecret(process.stdin, process.stderr, question),
    note: (text) => void process.stderr.write(`${text}\n`),
    writeNote: (data) => void process.stderr.write(data),
  };
}
