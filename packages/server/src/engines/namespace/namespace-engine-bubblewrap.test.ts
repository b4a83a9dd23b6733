import { describeEngine } from '../engine-contract.ts';
import { createNamespaceEngine } from './namespace-engine.ts';

describeEngine('namespace (bubblewrap)', (stateDirectory, { rules, nameServers }) =>
  createNamespaceEngine({ stateDirectory, launcher: 'bubblewrap', egress: rules, nameServers }),
);
