import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ImageStore } from '../../../packages/server/src/images/image-store.ts';
import { RegistryImages } from '../../../packages/server/src/images/registry-images.ts';
import { createRegistryHttp } from '../../../packages/server/src/registry/registry-http.ts';

export interface TestPuller {
  readonly images: RegistryImages;
  readonly directory: string;
  /** Everything of the store but its own directories, by relative paths of two names. */
  contents(): readonly string[];
}

/** A puller that may call loopback, with a store in a folder of the test's. */
export function createTestPuller(
  folder: string,
  options: {
    readonly maxBytes?: number;
    readonly maxStoreBytes?: number;
    readonly reservedBytes?: number;
    readonly silenceMs?: number;
    readonly allowed?: readonly string[];
  } = {},
): TestPuller {
  chmodSync(folder, 0o755);
  const directory = join(folder, 'images');
  let nowMs = 1_700_000_000_000;
  const clock = { nowMs: () => (nowMs += 1_000) };
  const images = new RegistryImages({
    http: createRegistryHttp({
      allowedPrivateHosts: options.allowed ?? ['127.0.0.1', 'localhost'],
      resolve: async (host) => (host === 'localhost' ? ['127.0.0.1'] : []),
      silenceMs: options.silenceMs ?? 60_000,
    }),
    store: new ImageStore({
      directory,
      maxBytes: options.maxStoreBytes ?? 1e12,
      reservedBytes: options.reservedBytes ?? 0,
      clock,
    }),
    maxBytes: options.maxBytes ?? 1e9,
    maxPullMs: 600_000,
    nowMs: clock.nowMs,
  });
  return {
    images,
    directory,
    contents: () =>
      readdirSync(directory).flatMap((name) =>
        readdirSync(join(directory, name)).map((each) => `${name}/${each}`),
      ),
  };
}
