import type { KernelLanguage, TemplateInfo } from '@sandgate/core';
import type { HeldImage } from '../image/image-source.ts';
import type { ImagePrograms } from '../image/look-into-image.ts';
import type { MountStep } from '../launcher/launcher.ts';

/** What sandboxes are made of: the host's own programs, or an image of the operator's. */
export interface Template extends TemplateInfo {
  readonly steps: readonly MountStep[];
  readonly image?: { readonly held: HeldImage; readonly programs: ImagePrograms };
}

/** An interpreter of the host, and how it is shown in a sandbox. */
export interface HostInterpreter {
  readonly language: KernelLanguage;
  /** On the host. */
  readonly executable: string;
  /** As in `Python 3.11.2 (/usr/bin/python3.11)`. */
  readonly description: string;
  readonly steps: readonly MountStep[];
}

/** Where interpreters get their names, first on every sandbox's `PATH`. */
export const guestInterpreterDirectory = '/opt/sandbox/bin';

export const guestSearchPath = `${guestInterpreterDirectory}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
