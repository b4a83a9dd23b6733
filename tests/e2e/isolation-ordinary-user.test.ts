import { describe } from 'vitest';
import { testEscapes } from '../support/escape/test-escapes.ts';

/** Under root the server gives each sandbox a host user of its own; here all have the server's. */
describe('from a sandbox of a server that runs as an ordinary user', () => {
  testEscapes({ user: 'ordinary', settings: ['ordinary-user'] });
});
