import { createFailureBudget } from '@sandgate/core';
import { CallLimit } from '../call-limit.ts';
import { OutputBudget } from '../output-budget.ts';
import { OutputPace } from '../output-pace.ts';
import type { NativeBounds } from './route.ts';

const maxHeldBytes = 128 * 1024 * 1024;

export const createNativeBounds = (): NativeBounds => ({
  reports: createFailureBudget(),
  calls: new CallLimit(),
  held: new OutputBudget(maxHeldBytes),
  pace: new OutputPace(),
});
