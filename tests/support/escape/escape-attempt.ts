import type { AttackedServer } from '../attacked-server.ts';

/**
 * One way out that must be closed. The code runs inside and prints a line for each thing it tries;
 * the first ones show, on something that is permitted, that the attempt is made rightly.
 */
export interface EscapeAttempt {
  readonly name: string;
  /** Python, with the words of `pythonAttempts`. */
  readonly code: string | ((attacked: AttackedServer) => string | Promise<string>);
  /** Every line that it prints. */
  readonly expected: readonly string[];
  /**
   * Lines that differ when the server is an ordinary user, or starts sandboxes through util-linux,
   * with the reason.
   */
  readonly otherwise?: Partial<Record<EscapeSetting, Difference>>;
  /** None of the lines is printed when the tests' own user runs the code outside. */
  readonly differsOutside?: true;
}

export type EscapeSetting = 'ordinary-user' | 'util-linux';

export interface Difference {
  readonly expected: readonly string[];
  readonly reason: string;
}
