import { describe } from 'vitest';
import { testEscapes } from '../support/escape/test-escapes.ts';

describe('from a sandbox of a server, started by the user of these tests', () => {
  testEscapes({});
});
