export type CallerKey =
  /** The text is known: it was made just now. */
  | { readonly kind: 'text'; readonly text: string }
  /** The user has it, in MSB_API_KEY. */
  | { readonly kind: 'variable' }
  /** Development mode. */
  | { readonly kind: 'none' };

const authorization = (key: CallerKey): string => {
  switch (key.kind) {
    case 'text':
      return ` -H 'Authorization: Bearer ${key.text}'`;
    case 'variable':
      return ' -H "Authorization: Bearer $MSB_API_KEY"';
    case 'none':
      return '';
  }
};

/** One line for a shell that starts a sandbox and runs Python in it. */
export function curlLine(address: string, key: CallerKey): string {
  const call = (method: string, params: object): string => {
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: { sandbox: 'hello', namespace: 'default', ...params },
    });
    return (
      `curl -sS -w '\\n' ${address}/api/v1/rpc -H 'Content-Type: application/json'` +
      `${authorization(key)} -d '${body}'`
    );
  };
  return [
    call('sandbox.start', { config: { image: 'microsandbox/python' } }),
    call('sandbox.repl.run', { language: 'python', code: 'print(6 * 7)' }),
  ].join(' && ');
}
