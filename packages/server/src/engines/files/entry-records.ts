import { type FileEntry, SandgateError } from '@sandgate/core';
import { decodeBytes } from '../byte-text.ts';

/**
 * Splits output at its NULs into records of so many fields. What is inside may send anything: a record
 * that does not end is none.
 */
export class RecordSplitter {
  readonly #fields: number;
  readonly #onRecord: (fields: readonly Buffer[]) => void;
  #rest: Buffer = Buffer.alloc(0);
  #record: Buffer[] = [];

  constructor(fields: number, onRecord: (fields: readonly Buffer[]) => void) {
    this.#fields = fields;
    this.#onRecord = onRecord;
  }

  add(data: Buffer): void {
    const text = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    let from = 0;
    for (let at = text.indexOf(0); at >= 0; at = text.indexOf(0, from)) {
      this.#record.push(text.subarray(from, at));
      from = at + 1;
      if (this.#record.length === this.#fields) this.#onRecord(this.#record.splice(0));
    }
    this.#rest = Buffer.from(text.subarray(from));
    if (this.#rest.length > maxRecordBytes) throw brokenListing();
  }
}

/** Two paths, with room to spare. */
export const maxRecordBytes = 16_384;

export const brokenListing = (): SandgateError =>
  new SandgateError('engine_failed', 'The sandbox listed its files in a way that makes no sense.');

/** For `find -printf`: kind, mode, size, time, target of a link, and the name beneath the start. */
export const entryFormat = '%y\\0%m\\0%s\\0%T@\\0%l\\0%P\\0';
export const entryFields = 6;

const kinds: Readonly<Record<string, FileEntry['kind']>> = {
  f: 'file',
  d: 'directory',
  l: 'link',
};

export interface FoundEntry extends Omit<FileEntry, 'path'> {
  /** Empty for the start itself. */
  readonly name: string;
}

export function parseEntry(fields: readonly Buffer[]): FoundEntry {
  const [type = '', mode = '', size = '', seconds = ''] = fields
    .slice(0, 4)
    .map((field) => field.toString('latin1'));
  const kind = kinds[type] ?? 'other';
  return {
    name: decodeBytes(fields[5] ?? Buffer.alloc(0)),
    kind,
    mode: numberOf(Number.parseInt(mode, 8)) & 0o7777,
    sizeBytes: numberOf(Number(size)),
    modifiedAtMs: Math.floor(numberOf(Number(seconds) * 1_000)),
    linkTarget: kind === 'link' ? decodeBytes(fields[4] ?? Buffer.alloc(0)) : null,
  };
}

export function entryAt(path: string, found: FoundEntry): FileEntry {
  const { name: _, ...entry } = found;
  return { path, ...entry };
}

const numberOf = (value: number): number => (Number.isSafeInteger(Math.floor(value)) ? value : 0);
