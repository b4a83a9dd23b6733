import { terminalPromises } from '../../contract/terminal-contract.ts';
import { describeEngine } from '../../engine-contract.ts';
import { openTerminal } from '../../terminal/open-terminal.ts';
import { createNamespaceEngine } from '../namespace-engine.ts';
import { NamespaceSandbox } from '../namespace-sandbox.ts';
import { templatePythonTerminal } from './find-terminal.ts';

describeEngine(
  'namespace (terminals by Python)',
  (stateDirectory) => createNamespaceEngine({ stateDirectory }),
  [],
  {
    terminals: terminalPromises((sandbox, request) => {
      if (!(sandbox instanceof NamespaceSandbox)) throw new Error('a sandbox of another engine');
      const exec: Parameters<typeof openTerminal>[0] = (command, program) =>
        sandbox.exec(command, program);
      return openTerminal(exec, templatePythonTerminal, request);
    }),
  },
);
