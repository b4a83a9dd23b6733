import {
  type ElicitRequestFormParams,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';

/** What the conformance suite of the protocol asks of a server: tools, prompts and resources by these names. */

/** 1x1 pixel. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** No samples. */
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

const text = (value: string) => ({ type: 'text' as const, text: value });
const image = { type: 'image' as const, data: png, mimeType: 'image/png' };
const resource = (uri: string, mimeType: string, value: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: value },
});

type Content = ReturnType<typeof text> | typeof image | ReturnType<typeof resource>;
type Tool = (context: ServerContext, input: Readonly<Record<string, unknown>>) => Promise<unknown>;

const answers =
  (...content: readonly (Content | { type: 'audio'; data: string; mimeType: string })[]): Tool =>
  async () => ({ content });

type Schema = ElicitRequestFormParams['requestedSchema'];

/** By `send`, requests go out on the stream of the call: any other may not be open yet. */
const asks =
  (properties: Schema['properties'], required: string[] = []): Tool =>
  async ({ mcpReq }, { message }) => {
    const requestedSchema: Schema = { type: 'object', properties, required };
    const { action, content } = await mcpReq.send({
      method: 'elicitation/create',
      params: { message: String(message ?? 'Please say'), requestedSchema },
    });
    return { content: [text(`${action} ${JSON.stringify(content)}`)] };
  };

const options = ['option1', 'option2', 'option3'];
const titled = ['First', 'Second', 'Third'].map((title, index) => ({
  const: `value${index + 1}`,
  title,
}));

const tools: Readonly<Record<string, Tool>> = {
  test_simple_text: answers(text('This is a simple text response for testing.')),
  test_image_content: answers(image),
  test_audio_content: answers({ type: 'audio', data: wav, mimeType: 'audio/wav' }),
  test_embedded_resource: answers(
    resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
  ),
  test_multiple_content_types: answers(
    text('Multiple content types test:'),
    image,
    resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ),
  async test_tool_with_logging({ mcpReq }) {
    const told = ['Tool execution started', 'Tool processing data', 'Tool execution completed'];
    for (const data of told) await mcpReq.log('info', data);
    return { content: [text('logged')] };
  },
  test_error_handling: async () => ({
    isError: true,
    content: [text('This tool intentionally returns an error for testing')],
  }),
  async test_tool_with_progress({ mcpReq }) {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      const params = { progressToken: progressToken ?? '', progress, total: 100 };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    return { content: [text('done')] };
  },
  async test_sampling({ mcpReq }, { prompt }) {
    const messages = [{ role: 'user' as const, content: text(String(prompt)) }];
    const { content } = await mcpReq.send({
      method: 'sampling/createMessage',
      params: { messages, maxTokens: 100 },
    });
    return { content: [text(`LLM response: ${JSON.stringify(content)}`)] };
  },
  test_elicitation: asks(
    {
      username: { type: 'string', description: "User's response" },
      email: { type: 'string', description: "User's email address" },
    },
    ['username', 'email'],
  ),
  test_elicitation_sep1034_defaults: asks({
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  }),
  test_elicitation_sep1330_enums: asks({
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['One', 'Two'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  }),
};

const user = (content: Content) => ({ role: 'user' as const, content });
const prompts: Readonly<
  Record<
    string,
    { names: readonly string[]; write: (given: Record<string, string>) => readonly Content[] }
  >
> = {
  test_simple_prompt: {
    names: [],
    write: () => [text('This is a simple prompt for testing.')],
  },
  test_prompt_with_arguments: {
    names: ['arg1', 'arg2'],
    write: ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  },
  test_prompt_with_embedded_resource: {
    names: ['resourceUri'],
    write: ({ resourceUri = '' }) => [
      resource(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
      text('Please process the embedded resource above.'),
    ],
  },
  test_prompt_with_image: {
    names: [],
    write: () => [image, text('Please analyze the image above.')],
  },
};

const resources: readonly {
  readonly uri: string;
  readonly name: string;
  readonly mimeType: string;
  readonly content: { readonly text: string } | { readonly blob: string };
}[] = [
  {
    uri: 'test://static-text',
    name: 'static-text',
    mimeType: 'text/plain',
    content: { text: 'This is the content of the static text resource.' },
  },
  {
    uri: 'test://static-binary',
    name: 'static-binary',
    mimeType: 'image/png',
    content: { blob: png },
  },
  {
    uri: 'test://watched-resource',
    name: 'watched-resource',
    mimeType: 'text/plain',
    content: { text: 'Watched.' },
  },
];

function contentsOf(uri: string) {
  const found = resources.find((each) => each.uri === uri);
  if (found !== undefined) return { uri, mimeType: found.mimeType, ...found.content };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1] ?? '';
  const written = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
  return { uri, mimeType: 'application/json', text: written };
}

export function createConformanceServer(): Server {
  const capabilities = {
    tools: {},
    prompts: {},
    resources: { subscribe: true },
    logging: {},
    completions: {},
  };
  const server = new Server({ name: 'conformance', version: '1' }, { capabilities });
  server.setRequestHandler('tools/list', () => ({
    tools: Object.keys(tools).map((name) => ({
      ...{ name, description: name },
      inputSchema: { type: 'object' as const },
    })),
  }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = tools[params.name];
    if (tool === undefined) throw new Error(`There is no tool ${params.name}`);
    return (await tool(context, params.arguments ?? {})) as { content: [] };
  });
  server.setRequestHandler('prompts/list', () => ({
    prompts: Object.entries(prompts).map(([name, { names }]) => ({
      ...{ name, description: name },
      arguments: names.map((each) => ({ name: each, required: true })),
    })),
  }));
  server.setRequestHandler('prompts/get', ({ params }) => ({
    messages: (prompts[params.name]?.write(params.arguments ?? {}) ?? []).map(user),
  }));
  server.setRequestHandler('resources/list', () => ({
    resources: resources.map(({ uri, name, mimeType }) => ({ uri, name, mimeType })),
  }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template' }],
  }));
  server.setRequestHandler('resources/read', ({ params }) => ({
    contents: [contentsOf(params.uri)],
  }));
  server.setRequestHandler('resources/subscribe', () => ({}));
  server.setRequestHandler('resources/unsubscribe', () => ({}));
  server.setRequestHandler('completion/complete', () => ({
    completion: { values: ['paris', 'park'], total: 2, hasMore: false },
  }));
  return server;
}
