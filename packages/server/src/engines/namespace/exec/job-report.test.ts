import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJobReport } from './job-report.ts';

describe('parseJobReport', () => {
  it('reads what the agent says', () => {
    expect(parseJobReport('pid 12')).toEqual({ kind: 'started', pid: 12 });
    expect(parseJobReport('exit 0')).toEqual({ kind: 'exited', exitCode: 0 });
    expect(parseJobReport('exit 255')).toEqual({ kind: 'exited', exitCode: 255 });
    expect(parseJobReport('missing')).toEqual({ kind: 'missing_program' });
    expect(parseJobReport('nodirectory')).toEqual({ kind: 'missing_directory' });
  });

  it.each([
    '',
    'pid',
    'pid 0',
    'pid 1',
    'pid -1',
    'pid 1e3',
    'pid 02',
    'pid 99999999999',
    'exit 256',
    'exit -1',
    'exit 0 ',
    ' exit 0',
    'exit 0\r',
    'Missing',
    'exit ٣',
  ])('takes %j for nonsense', (line) => {
    expect(parseJobReport(line)).toBeNull();
  });

  it('never takes one thing for another', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (line) => {
        const report = parseJobReport(line);
        if (report?.kind === 'exited') expect(line).toBe(`exit ${report.exitCode}`);
        if (report?.kind === 'started') expect(line).toBe(`pid ${report.pid}`);
      }),
    );
  });
});
