import { readFileSync } from 'node:fs';

/** Where something is mounted for this process (proc(5), /proc/pid/mountinfo, field 5). */
export function readMountPoints(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map(decodeOctal);
}

/** Blanks, tabs, newlines and backslashes are written as three octal digits. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
