import type { KernelLanguage } from '../port/engine.ts';
import type { EgressPolicy } from '../port/engine-egress.ts';
import type { SandboxResources } from './sandbox-definition.ts';
import type { SandboxLifetime } from './sandbox-lifetime.ts';

/** Something that sandboxes can be made of, under the name that a client uses. */
export interface Template {
  /** As in `python`, or `python-3.12` where the operator or a dialect wants that name. */
  readonly name: string;
  readonly displayName: string;
  /** What it really is on this host, as in `Python 3.11.2`. */
  readonly description: string;
  /** The engine's name for it. */
  readonly image: string;
  /** Which of the server's engines starts it, as in `bubblewrap`. */
  readonly engine: string;
  readonly languages: readonly KernelLanguage[];
  /** Used where a request names none. */
  readonly isDefault: boolean;
}

/** What a sandbox gets where its request says nothing, and how much it may ask for. */
export interface StartDefaults {
  readonly resources: SandboxResources;
  readonly maxima: SandboxResources;
  readonly egress: EgressPolicy;
  readonly lifetime: Omit<SandboxLifetime, 'expiresAtMs' | 'oneShot'>;
}

/** A further name for an image, as the operator configures it. */
export interface TemplateAlias {
  readonly image: string;
  /** Default: the name. */
  readonly displayName?: string | undefined;
  /** Default: what the engine says of the image. */
  readonly description?: string | undefined;
}
