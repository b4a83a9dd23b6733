import type { OutputChunk, RichResult } from '@sandgate/core';
import type { OutputAllowance } from '../output-budget.ts';
import type { ToolContent } from './mcp-tool.ts';

/** Forms that clients of MCP show as images. */
const imageTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

/** Takes the values that code shows: images as content of their own, all else as text of the output. */
export function showResults(
  content: ToolContent[],
  output: Pick<OutputAllowance, 'take'>,
  push: (chunk: OutputChunk) => void | Promise<void>,
): (result: RichResult) => Promise<void> {
  const write = async (text: string): Promise<void> =>
    await push({ stream: 'stdout', data: Buffer.from(`${text}\n`) });
  return async ({ role, data }) => {
    const mimeType = imageTypes.find((type) => data[type] !== undefined);
    const image = mimeType === undefined ? undefined : data[mimeType];
    if (mimeType === undefined || image === undefined || role === 'value') {
      await write(data['text/plain'] ?? '');
    }
    if (mimeType === undefined || image === undefined) return;
    if (output.take(image.length)) content.push({ type: 'image', data: image, mimeType });
    else await write('An image was left out: the answer holds as much as it may');
  };
}
