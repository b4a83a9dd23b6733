import type { GetPromptResult, Prompt } from '@modelcontextprotocol/server';

const promptArguments = [
  { name: 'sandbox_name', description: 'Name of the new sandbox', required: true },
  { name: 'namespace', description: "Its namespace; the API key's own when it is left out" },
];

const prompts = [
  { name: 'create_python_sandbox', title: 'Python', image: 'microsandbox/python', code: 'python' },
  { name: 'create_node_sandbox', title: 'Node', image: 'microsandbox/node', code: 'node' },
] as const;

export const listedPrompts: Prompt[] = prompts.map(({ name, title }) => ({
  name,
  description: `Start a new ${title} sandbox and try it`,
  arguments: promptArguments,
}));

/** Null: there is none of that name. */
export function writePrompt(
  name: string,
  { sandbox_name = '', namespace }: Readonly<Record<string, string>>,
): GetPromptResult | null {
  const prompt = prompts.find((each) => each.name === name);
  if (prompt === undefined) return null;
  const where = namespace ? ` in the namespace ${JSON.stringify(namespace)}` : '';
  const text = `Start a sandbox named ${JSON.stringify(sandbox_name)}${where} with the tool sandbox_start and the image ${prompt.image}. Then run a line of ${prompt.title} in it with the tool sandbox_run_code and the language ${prompt.code}, and tell me what it printed.`;
  return {
    description: `Start a new ${prompt.title} sandbox`,
    messages: [{ role: 'user', content: { type: 'text', text } }],
  };
}
