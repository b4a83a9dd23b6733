import { SandgateError } from '@sandgate/core';
import { expect, it } from 'vitest';
import { brimbleMessage } from './error-response.ts';

it.each([
  ['sandboxes', 3, 'Your plan allows up to 3 sandboxes. Destroy an existing one or upgrade.'],
  ['running', 3, 'Your plan allows up to 3 sandboxes. Destroy an existing one or upgrade.'],
  ['volumes', 2, 'Your plan allows up to 2 volumes. Delete an existing one or upgrade.'],
  ['volumeMib', 20_480, 'Your plan allows volumes up to 20GB. Reduce size or upgrade.'],
  ['snapshots', 5, 'Your plan allows up to 5 snapshots. Delete an existing one or upgrade.'],
  ['cpus', 2, 'the error’s own words'],
])('words a plan’s bound on %s as documented', (resource, allowed, message) => {
  const data = { resource, allowed };
  expect(brimbleMessage(new SandgateError('plan_refused', 'the error’s own words', { data }))).toBe(
    message,
  );
});
