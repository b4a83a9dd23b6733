import { sandboxCommandRun } from './methods/sandbox-command-run.ts';
import { sandboxMetricsGet } from './methods/sandbox-metrics-get.ts';
import { sandboxReplRun } from './methods/sandbox-repl-run.ts';
import { sandboxStart } from './methods/sandbox-start.ts';
import { sandboxStop } from './methods/sandbox-stop.ts';
import { type PreparedCall, prepareCall, type RpcMethod } from './rpc-method.ts';

/** Checks a call's params and says what it needs. */
type Prepare = (params: unknown) => PreparedCall;

const entry = <Params>(name: string, method: RpcMethod<Params>): [string, Prepare] => [
  name,
  (params) => prepareCall(name, method, params),
];

/** Every method of this door. A Map, as names come from clients and may be `constructor`. */
export const rpcMethods: ReadonlyMap<string, Prepare> = new Map([
  entry('sandbox.start', sandboxStart),
  entry('sandbox.stop', sandboxStop),
  entry('sandbox.metrics.get', sandboxMetricsGet),
  entry('sandbox.repl.run', sandboxReplRun),
  entry('sandbox.command.run', sandboxCommandRun),
]);
