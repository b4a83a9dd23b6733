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
