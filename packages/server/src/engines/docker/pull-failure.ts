import { type ErrorCode, SandgateError } from '@sandgate/core';
import { dockerStatus, explainDocker } from './docker-failure.ts';

/** The daemon tells of registries in words alone. The first that fits counts. */
const meanings: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [
    /unauthorized|authentication required|basic auth|incorrect username|\b401\b/i,
    'registry_unauthorized',
    'The registry wants another user name and password for this image',
  ],
  [
    /no matching manifest|does not match the specified platform/i,
    'platform_not_offered',
    'The image is not there for this platform',
  ],
  [
    /manifest unknown|name unknown|not found|does not exist|access denied/i,
    'image_not_found',
    'The registry has no such image, or does not show it',
  ],
  [/no space left/i, 'disk_full', 'There is no room for the image on the disk of Docker'],
  [
    /verification failed|digest/i,
    'digest_mismatch',
    'What the registry sent is not what its digest stands for',
  ],
  [
    /dial tcp|no such host|refused|timeout|tls|x509|EOF|server gave HTTP/i,
    'registry_unreachable',
    'Docker cannot reach the registry, or not in the way that it is called',
  ],
];

/** What became of a pull, from what the daemon says of it. */
export function explainPull(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof SandgateError) return error;
  const { message } = (error ?? {}) as { readonly message?: string };
  if (dockerStatus(error) === null && !(error instanceof PullRefused)) return explainDocker(error);
  return explainPullText(message ?? '', error);
}

/** The daemon ended a pull that it had begun. */
export class PullRefused extends Error {
  override readonly name = 'PullRefused';
}

function explainPullText(text: string, cause: unknown): SandgateError {
  const [, code, words] = meanings.find(([form]) => form.test(text)) ?? [];
  return new SandgateError(
    code ?? 'registry_unreachable',
    words ?? 'Docker could not pull the image',
    { detail: text, cause },
  );
}
