import { SandgateError } from '@sandgate/core';
import { OutboundRefused } from '../outbound/outbound-target.ts';

export const unreachable = (why: string, cause?: unknown): SandgateError =>
  new SandgateError('registry_unreachable', `The registry cannot be used: ${why}`, { cause });

export const invalidImage = (why: string, cause?: unknown): SandgateError =>
  new SandgateError('image_invalid', `The image cannot be used: ${why}`, { cause });

export const tooLarge = (maxBytes: number): SandgateError =>
  new SandgateError(
    'image_too_large',
    `The image is larger than ${Math.floor(maxBytes / 1_048_576)} MiB, the most that this server takes`,
  );

export const digestMismatch = (what: string, digest: string): SandgateError =>
  new SandgateError(
    'digest_mismatch',
    `The ${what} that the registry sent is not what ${digest} stands for`,
  );

export const noRoom = (cause?: unknown): SandgateError =>
  new SandgateError('disk_full', 'There is no room for the image on the disk of this server', {
    cause,
  });

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  ENOTFOUND: 'its host cannot be found',
  EPROTO: 'it does not speak TLS. If it is to be called without, say so',
};

/** What became of a connection. A caller that has given up gets its own reason back. */
export function toRegistryFailure(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof SandgateError) return error;
  if (error instanceof OutboundRefused) {
    // With a cause, it is the name server that refused.
    return error.cause === undefined
      ? new SandgateError('registry_not_allowed', error.message, { cause: error })
      : unreachable('its host cannot be found', error);
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return noRoom(error);
  if (code.startsWith('HPE_')) return unreachable('it does not speak HTTP', error);
  if (/CERT|SELF_SIGNED|ISSUER/.test(code)) {
    return unreachable('its certificate is not trusted', error);
  }
  return unreachable(reasons[code] ?? 'there is no connection', error);
}
