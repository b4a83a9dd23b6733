import { describeEngine } from '../engine-contract.ts';
import { createNamespaceEngine } from './namespace-engine.ts';

describeEngine('namespace (util-linux)', (stateDirectory, { rules, nameServers }) =>
  createNamespaceEngine({ stateDirectory, launcher: 'util-linux', egress: rules, nameServers }),
);
