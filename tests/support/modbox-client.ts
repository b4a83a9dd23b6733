import type { TestApp } from './test-app.ts';

export interface ModboxAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The tests look into answers of many shapes; a wrong guess fails the test that makes it.
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface ModboxCall {
  /** Access token or key. */
  readonly token?: string | null;
  readonly workspace?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls the Modbox door of an app as its clients do. */
export function modboxClient({ app }: Pick<TestApp, 'app'>) {
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    { token = null, workspace, headers = {} }: ModboxCall = {},
  ): Promise<ModboxAnswer> => {
    const response = await app.request(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(workspace === undefined ? {} : { 'x-workspace-id': workspace }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : null,
    };
  };
  return {
    call,
    logIn: (username: string, password: string) =>
      call('POST', '/auth/login', { username, password }),
    /** The tokens of a login that is meant to work. */
    async tokens(username: string, password: string) {
      const { body } = await this.logIn(username, password);
      return body.tokens as { readonly access_token: string; readonly refresh_token: string };
    },
  };
}
