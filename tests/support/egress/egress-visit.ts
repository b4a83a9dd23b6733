/** What `visit-internet.ts` tells. */
export interface EgressVisit {
  /** Answers of what is inside to the machine itself: it is there, and would answer. */
  readonly machine: readonly string[];
  /** What programs in a sandbox with an open policy got, in a line for each address. */
  readonly python: readonly string[];
  readonly node: readonly string[];
  readonly denials: number;
  /** Interfaces or routes of the machine are others while a sandbox has a network. */
  readonly networkChanged: boolean;
  /** Process ids of children of the server after its engine was closed. */
  readonly leftChildren: string;
}
