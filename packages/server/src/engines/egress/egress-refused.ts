/** A connection that was not made. Its message is for the program that asked for it. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly kind: 'policy' | 'malformed' | 'unresolved' | 'unreachable';

  constructor(kind: EgressRefused['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
