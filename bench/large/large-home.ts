import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { digestKeyText, serverKeyFingerprint } from '@sandgate/core';
import { createLargeDatabase } from './large-database.ts';

/** Known to everybody, as are all keys made under it: for databases of nothing. */
const secret = 'benchmark '.repeat(8).trim();
const serverKey = { version: 1, secret: Buffer.from(secret) };
/** Older ones have nothing left in the windows of a day. */
const longestAgeMs = 6 * 3_600_000;

/** Text of the key of a number. */
export function keyTextOf(keyNumber: number): string {
  const body = `msb_${createHash('sha1').update(`key ${keyNumber}`).digest('hex')}`;
  return body + crc32(body).toString(16).padStart(8, '0');
}

/** Makes a home of so many keys and usage rows, or takes the one that is there. */
export async function prepareLargeHome(
  home: string,
  { keys, usageRows }: { readonly keys: number; readonly usageRows: number },
): Promise<void> {
  const mark = join(home, 'made.json');
  if (existsSync(mark)) {
    const made = JSON.parse(readFileSync(mark, 'utf8'));
    const fits = made.keys === keys && made.usageRows === usageRows;
    if (fits && Date.now() - made.atMs < longestAgeMs) return;
  }
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const newestAtMs = Date.now();
  await createLargeDatabase({
    file: join(home, 'sandgate.db'),
    keys,
    usageRows,
    newestAtMs,
    fingerprint: serverKeyFingerprint(serverKey.secret),
    digestOf: (keyNumber) => digestKeyText(serverKey, keyTextOf(keyNumber)),
    onProgress: (message) => console.error(`  ${message}`),
  });
  writeFileSync(join(home, 'server.key'), `${secret}\n`, { mode: 0o600 });
  // A day of the rows is too old, so that they are removed beside the traffic.
  writeFileSync(join(home, 'config.json'), JSON.stringify({ usage: { retentionDays: 29 } }));
  writeFileSync(mark, JSON.stringify({ keys, usageRows, atMs: newestAtMs }));
}
