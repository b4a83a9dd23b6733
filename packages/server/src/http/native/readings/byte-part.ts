import { z } from 'zod';
import { encoding } from '../commands/command-schemas.ts';
import { queryNumber } from '../shared-schemas.ts';

const farthestByte = Number.MAX_SAFE_INTEGER;
const maxBytes = 1_048_576;
/** The longest character of UTF-8: less could be none. */
const minBytes = 4;

const byte = z.int().nonnegative();

/** Which part of what was written is asked for. */
export const partQuery = z.strictObject({
  from_byte: queryNumber(-farthestByte, farthestByte)
    .default(0)
    .meta({ description: 'A negative one counts from the end' }),
  max_bytes: queryNumber(minBytes, maxBytes).default(65_536),
  encoding,
});

export type WantedPart = z.output<typeof partQuery>;

/** Which part of it was found. */
export const partFields = (endDescription: string) => ({
  from_byte: byte,
  to_byte: byte.meta({ description: 'Where the next part begins' }),
  end_byte: byte.meta({ description: endDescription }),
});

export const encoded = (data: Buffer, encoding: WantedPart['encoding']): string =>
  data.toString(encoding === 'text' ? 'utf8' : 'base64');
