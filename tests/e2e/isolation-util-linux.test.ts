import { describe } from 'vitest';
import { testEscapes } from '../support/escape/test-escapes.ts';

const environment = { SANDGATE_ENGINE_LAUNCHER: 'util-linux' };

describe('from a sandbox that util-linux started', () => {
  testEscapes({ environment, settings: ['util-linux'] });
});

describe('from a sandbox that util-linux started for an ordinary user', () => {
  testEscapes({ user: 'ordinary', environment, settings: ['util-linux', 'ordinary-user'] });
});
