/** RFC 4180. */
const field = (value: unknown): string => {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One line, with its end. Null and undefined are empty. */
export const csvLine = (values: readonly unknown[]): string => `${values.map(field).join(',')}\r\n`;
