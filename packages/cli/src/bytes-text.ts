const units = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** As in `512 B` or `1.5 MiB`. */
export function bytesText(bytes: number): string {
  let text = `${Math.round(bytes)} B`;
  let value = bytes;
  for (const unit of units) {
    if (value < 1_023.95) break;
    value /= 1_024;
    text = `${value.toFixed(1)} ${unit}`;
  }
  return text;
}
