import { describe, expect, it } from 'vitest';
import { connectionLimit } from './connection-limit.ts';

describe('connectionLimit', () => {
  it('is half of the descriptors that the process may have', () => {
    const limits = (soft: string) => () =>
      `Max processes  10  20  processes\nMax open files            ${soft}              4096  files\n`;
    expect(connectionLimit(limits('400'))).toBe(200);
    expect(connectionLimit(limits('8'))).toBe(16);
    expect(connectionLimit(limits('unlimited'))).toBe(512);
    expect(connectionLimit(() => '')).toBe(512);
    expect(connectionLimit()).toBeGreaterThan(16);
  });
});
