import { pino } from 'pino';
import { createFile, hasCode } from './write-file-atomically.ts';

export interface LogOptions {
  readonly level: string;
  /** Null: standard error. */
  readonly file: string | null;
}

/** Fields that may hold a credential, wherever they stand in what is logged. */
const secretFields = [
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'x-brimble-key',
  'cookie',
  'credential',
  'key',
  'password',
  'secret',
  'text',
  'token',
];

/** Anything that looks like a key, in whatever message it came: the published pattern, any length. */
const keyLike = /\b(msb|bk|mbx)_[0-9a-f]{8,}/g;

/** Structured logs. Nothing that looks like a credential gets into them. */
export async function openServerLog({ level, file }: LogOptions): Promise<pino.Logger> {
  if (file !== null) {
    await createFile(file, '').catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
  }
  const redactKeys = (text: string): string => text.replace(keyLike, '$1_[redacted]');
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: secretFields.flatMap((name) => [`["${name}"]`, `*["${name}"]`]),
        censor: '[redacted]',
      },
      hooks: {
        // The last place that every line passes, with its errors and their causes already in it.
        streamWrite: redactKeys,
      },
    },
    pino.destination({
      ...(file === null ? { fd: 2 } : { dest: file, append: true }),
      sync: false,
      minLength: 0,
    }),
  );
}
