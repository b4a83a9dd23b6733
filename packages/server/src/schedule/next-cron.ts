import { SandgateError } from '@sandgate/core';
import { Cron } from 'croner';

/**
 * The next time that a cron expression of five fields names, in UTC, after a time. Null: there is none.
 * @throws SandgateError `invalid_request`
 */
export function nextCronMs(expression: string, afterMs: number): number | null {
  try {
    // Croner also takes a date, and names as in `@daily`.
    if (expression.trim().split(/\s+/).length !== 5) throw new Error('There are not five fields.');
    // It is never started: only its calendar is used.
    const cron = new Cron(expression, { paused: true, timezone: 'UTC', mode: '5-part' });
    return cron.nextRun(new Date(afterMs))?.getTime() ?? null;
  } catch (error) {
    throw new SandgateError(
      'invalid_request',
      `"${expression}" is not a schedule: use five fields, as in "0 3 * * *"`,
      { cause: error },
    );
  }
}
