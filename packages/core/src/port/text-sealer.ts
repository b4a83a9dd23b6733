/** A text that only this server can read again. */
export interface SealedText {
  readonly sealed: Uint8Array;
  /** The server key that it opens under. */
  readonly serverKeyVersion: number;
}

/** Encrypts what has to be stored and must not be readable there, under a secret made of the server key. */
export interface TextSealer {
  /** `about` names what the text belongs to: it opens for nothing else. */
  seal(text: string, about: string): SealedText;
  /** Null: it was sealed under a server key that is gone, or is not what was sealed. */
  open(sealed: SealedText, about: string): string | null;
}
