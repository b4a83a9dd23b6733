import type { ImagePuller, PulledImage } from '@sandgate/core';

/** An image that stays on this machine until it is released. */
export interface HeldImage {
  /** Its root directory on the host. Nothing in it is changed, and every user can read it. */
  readonly directory: string;
  readonly image: PulledImage;
  /** Idempotent. */
  release(): void;
}

/** Where the engine has images from that are no templates of its own. */
export interface ImageSource extends ImagePuller {
  /** By `PulledImage.image`. Null: it is not here. */
  hold(image: string): Promise<HeldImage | null>;
}

/** An image that the operator has made a template. */
export interface TemplateImage {
  /** As clients name it. */
  readonly name: string;
  readonly description: string;
  /** Where the operator has named it, as in `images.local.base`. */
  readonly setting: string;
  /** @throws SandgateError when it cannot be used */
  hold(): Promise<HeldImage>;
}
