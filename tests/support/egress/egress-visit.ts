/** What `visit-internet.ts` tells. */
export interface EgressVisit {
  /** Answers of what is inside to the machine itself: it is there, and would answer. */
  readonly machine: readonly string[];
  readonly pythonReached: readonly string[];
  readonly nodeReached: readonly string[];
  readonly pythonRefused: readonly string[];
  readonly nodeRefused: readonly string[];
  readonly direct: readonly string[];
  readonly denials: number;
  /** Interfaces or routes of the machine are others while a sandbox has a network. */
  readonly networkChanged: boolean;
  /** Process ids of children of the server after its engine was closed. */
  readonly leftChildren: string;
}
