/** A number as it was written, for `JSON.stringify` (ECMAScript, JSON.parse source text access). */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => object };

type SourceReviver = (
  key: string,
  value: unknown,
  context: { readonly source?: string },
) => unknown;

const parseWithSource = JSON.parse as (text: string, reviver: SourceReviver) => unknown;

/** Whether there may be a number that a double does not give back as it was written. */
const unusualNumber = /\d{16}|\d[.eE]|-0/;

const keepNumber: SourceReviver = (_, value, { source }) =>
  typeof value !== 'number' || String(value) === source ? value : rawJSON(source ?? String(value));

/**
 * Parses so that `JSON.stringify` gives every value back as it was written, numbers to the last digit.
 * What is different after it: of two members of one name there is the last one only, and white space.
 */
export const parseExactly = (text: string): unknown =>
  unusualNumber.test(text) ? parseWithSource(text, keepNumber) : JSON.parse(text);
