import { type Command, CommanderError } from 'commander';

/**
 * The program that a command runs, with its arguments: what is left of `words` after options of the
 * command's own, which may stand there too. Everything from the program on is the program's, and so
 * is everything after `--`. The command passes options through.
 *
 * @throws CommanderError when an option is not the command's, or when no program is left
 */
export function readProgram(command: Command, words: readonly string[]): readonly string[] {
  const { operands, unknown } = command.parseOptions([...words]);
  const [first] = unknown;
  if (first === '-h' || first === '--help') {
    command.outputHelp();
    throw new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)');
  }
  if (first !== undefined) command.error(`error: unknown option '${first}'`);
  if (operands.length === 0) command.error("error: missing required argument 'command'");
  return operands;
}
