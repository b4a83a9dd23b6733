import type { KernelLanguage } from '../port/engine.ts';

/** Something that sandboxes can be made of, under the name that a client uses. */
export interface Template {
  /** As in `python`, or `python-3.12` where the operator or a dialect wants that name. */
  readonly name: string;
  readonly displayName: string;
  /** What it really is on this host, as in `Python 3.11.2`. */
  readonly description: string;
  /** The engine's name for it. */
  readonly image: string;
  readonly languages: readonly KernelLanguage[];
  /** Used where a request names none. */
  readonly isDefault: boolean;
}

/** A further name for an image, as the operator configures it. */
export interface TemplateAlias {
  readonly image: string;
  /** Default: the name. */
  readonly displayName?: string | undefined;
  /** Default: what the engine says of the image. */
  readonly description?: string | undefined;
}
