import { ProtocolError, ResourceNotFoundError } from '@modelcontextprotocol/server';
import { microsandboxErrors } from '../../dialects/microsandbox/error-table.ts';
import { explainFailure } from '../../explain-failure.ts';
import type { McpRequest } from '../call-tool.ts';

/** Resources have no results that say what failed: it is an error of the protocol. */
export function resourceError(
  thrown: unknown,
  uri: string,
  { requestId, log }: Pick<McpRequest, 'requestId' | 'log'>,
): ProtocolError {
  const { code, message } = explainFailure(thrown, { requestId, setHeader: () => undefined }, log);
  if (code === 'sandbox_not_found' || code === 'file_not_found') {
    return new ResourceNotFoundError(uri, message);
  }
  return new ProtocolError(microsandboxErrors[code].rpc, message, { code });
}
