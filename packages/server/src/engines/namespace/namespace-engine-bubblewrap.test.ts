import { describeEngine } from '../engine-contract.ts';
import { createNamespaceEngine } from './namespace-engine.ts';

describeEngine('namespace (bubblewrap)', (stateDirectory) =>
  createNamespaceEngine({ stateDirectory, launcher: 'bubblewrap' }),
);
