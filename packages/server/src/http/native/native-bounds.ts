import { type Clock, createFailureBudget, type Randomness } from '@sandgate/core';
import { CallLimit } from '../call-limit.ts';
import { OutputBudget } from '../output-budget.ts';
import { OutputPace } from '../output-pace.ts';
import type { NativeBounds } from './route.ts';
import { TicketBox } from './terminal/ticket-box.ts';

const maxHeldBytes = 128 * 1024 * 1024;

export const createNativeBounds = (parts: {
  readonly clock: Clock;
  readonly randomness: Randomness;
}): NativeBounds => ({
  reports: createFailureBudget(),
  calls: new CallLimit(),
  held: new OutputBudget(maxHeldBytes),
  pace: new OutputPace(),
  tickets: new TicketBox(parts),
});
