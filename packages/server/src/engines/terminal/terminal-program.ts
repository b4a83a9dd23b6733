/** File name of the guest script, which is shown beside the kernels'. */
export const pythonTerminalFile = 'python-terminal.py';

/**
 * A program inside that makes a pseudo-terminal, as Node cannot: it runs a line of shell on it, and
 * copies between the terminal and its own input and output.
 */
export interface TerminalProgram {
  readonly description: string;
  /** The program and its arguments; the environment has no `SHELL`. */
  readonly argv: (line: string) => readonly string[];
}

/** `script` of util-linux; `file` is its absolute path. */
export const scriptTerminal = (file: string): TerminalProgram => ({
  description: `script (${file})`,
  argv: (line) => [file, '-q', '-e', '-f', '-c', line, '/dev/null'],
});

/** `python` runs the guest script, which lies in `directory`. */
export const pythonTerminal = (python: string, directory: string): TerminalProgram => ({
  description: 'Python',
  argv: (line) => [python, '-I', '-S', `${directory}/${pythonTerminalFile}`, line],
});
