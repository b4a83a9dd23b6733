import type { ImageConfig, ImagePlatform } from '@sandgate/core';
import { notOffered } from './image-index.ts';
import { digestForm } from './image-reference.ts';
import { invalidImage } from './registry-failure.ts';

type Document = Readonly<Record<string, unknown>>;

const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads an image configuration (OCI image specification 1.1, "Image Configuration"; that of Docker has the
 * same form). What cannot be used of it is left out.
 * @throws SandgateError `image_invalid`, `platform_not_offered`
 */
export function parseImageConfig(
  document: Document,
  platform: ImagePlatform,
): { readonly image: ImageConfig; readonly diffIds: readonly string[] } {
  const { os = 'linux', architecture = platform.architecture } = document;
  if (os !== platform.os || architecture !== platform.architecture) {
    throw notOffered(platform, [`${String(os)}/${String(architecture)}`]);
  }
  const { diff_ids: diffIds } = objectIn(document.rootfs);
  const ids = Array.isArray(diffIds) ? diffIds : [];
  if (!ids.every((id) => typeof id === 'string' && digestForm.test(id))) {
    throw invalidImage('its layers have no sha256 digests');
  }
  const config = objectIn(document.config);
  const workdir = textIn(config.WorkingDir);
  return {
    diffIds: ids,
    image: {
      env: environmentOf(textsIn(config.Env)),
      entrypoint: textsIn(config.Entrypoint),
      cmd: textsIn(config.Cmd),
      workdir:
        workdir?.startsWith('/') === true && !workdir.split('/').includes('..') ? workdir : null,
      user: textIn(config.User),
      exposedPorts: Object.keys(objectIn(config.ExposedPorts)),
    },
  };
}

const objectIn = (value: unknown): Document =>
  typeof value === 'object' && value !== null ? (value as Document) : {};

const textIn = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && !value.includes('\0') ? value : null;

const textsIn = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.filter((text) => typeof text === 'string' && !text.includes('\0'))
    : [];

function environmentOf(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(line) ?? [];
      return environmentName.test(name) ? [[name, value] as const] : [];
    }),
  );
}
