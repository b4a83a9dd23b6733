import {
  openSealedText,
  type Randomness,
  type ServerKey,
  sealText,
  type TextSealer,
} from '@sandgate/core';

const purpose = 'stored secrets';

/** Encrypts under the server key of the moment. What an earlier one sealed stays closed. */
export function createTextSealer(serverKey: () => ServerKey, randomness: Randomness): TextSealer {
  return {
    seal(text, about) {
      const current = serverKey();
      return {
        sealed: sealText(text, { serverKey: current, purpose, about }, randomness),
        serverKeyVersion: current.version,
      };
    },
    open({ sealed, serverKeyVersion }, about) {
      const current = serverKey();
      if (serverKeyVersion !== current.version) return null;
      try {
        return openSealedText(sealed, { serverKey: current, purpose, about });
      } catch {
        return null;
      }
    },
  };
}
