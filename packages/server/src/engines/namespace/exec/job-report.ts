/** What an agent's job says on its status FIFO. */
export type JobReport =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'missing_program' }
  | { readonly kind: 'missing_directory' };

/** A report is one short line; more is a sandbox that does not keep to the protocol. */
export const maxReportBytes = 64;

/** The report in one line without its newline, or null when it is none. */
export function parseJobReport(line: string): JobReport | null {
  if (line === 'missing') return { kind: 'missing_program' };
  if (line === 'nodirectory') return { kind: 'missing_directory' };
  const match = /^(pid|exit) (0|[1-9][0-9]{0,9})$/.exec(line);
  if (match === null) return null;
  const number = Number(match[2]);
  if (match[1] === 'pid') return number > 1 ? { kind: 'started', pid: number } : null;
  return number <= 255 ? { kind: 'exited', exitCode: number } : null;
}
