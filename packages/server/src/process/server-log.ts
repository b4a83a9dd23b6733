import { renameSync, statSync } from 'node:fs';
import { pino } from 'pino';
import { createFile, hasCode } from './write-file-atomically.ts';

export interface LogOptions {
  readonly level: string;
  /** Null: standard error. */
  readonly file: string | null;
  /** A longer file is put aside as `<file>.1`, in place of the one before. Default: 20 MiB. */
  readonly maxFileBytes?: number;
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
export async function openServerLog({
  level,
  file,
  maxFileBytes = 20 * 1_048_576,
}: LogOptions): Promise<pino.Logger> {
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
    file === null
      ? pino.destination({ fd: 2, sync: false, minLength: 0 })
      : rotatingFile(file, maxFileBytes),
  );
}

/** Takes lines for a file, and keeps it and the one before it below a size. */
function rotatingFile(file: string, maxBytes: number): pino.DestinationStream {
  const destination = pino.destination({
    ...{ dest: file, append: true, mode: 0o600 },
    ...{ sync: false, minLength: 0 },
  });
  let bytes = statSync(file).size;
  // A file is opened beside other work; what is written until then waits in memory.
  let ready = false;
  destination.on('ready', () => {
    ready = true;
  });
  return {
    write(text) {
      const more = Buffer.byteLength(text);
      if (ready && bytes > 0 && bytes + more > maxBytes) {
        try {
          destination.flushSync();
          renameSync(file, `${file}.1`);
          ready = false;
          destination.reopen(file);
        } catch {
          // The log goes on in the file that it has: a full disk must fail no call.
        }
        bytes = 0;
      }
      bytes += more;
      destination.write(text);
    },
  };
}
