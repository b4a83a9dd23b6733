import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Text as it is, and as files and logs may hold it in other clothes. */
const disguisesOf = (key: string): readonly string[] => [
  key,
  key.slice(4),
  key.slice(4, 44),
  Buffer.from(key).toString('base64').slice(0, 60),
  ...(/^[0-9a-f]{40}/.test(key.slice(4))
    ? [Buffer.from(key.slice(4, 44), 'hex').toString('latin1')]
    : []),
];

/** Which keys a content holds in any form. @param origins by key text, what to call each */
export function originsOfKeysIn(
  content: Buffer | string,
  origins: ReadonlyMap<string, string>,
): readonly string[] {
  const text = typeof content === 'string' ? content : content.toString('latin1');
  return [...origins].flatMap(([key, origin]) =>
    disguisesOf(key).some((form) => text.includes(form)) ? [origin] : [],
  );
}

/** Every file of a folder and those in it, sockets left out. */
export const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
