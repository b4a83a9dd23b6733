import { sandboxCommandRun } from '../dialects/microsandbox/methods/sandbox-command-run.ts';
import { sandboxMetricsGet } from '../dialects/microsandbox/methods/sandbox-metrics-get.ts';
import { sandboxReplRun } from '../dialects/microsandbox/methods/sandbox-repl-run.ts';
import { sandboxStart } from '../dialects/microsandbox/methods/sandbox-start.ts';
import { sandboxStop } from '../dialects/microsandbox/methods/sandbox-stop.ts';
import { type McpTool, mcpTool } from './mcp-tool.ts';
import { namespaceProperty, sandboxProperty, timeoutProperty } from './tool-input.ts';

const namespace = namespaceProperty;
const sandbox = sandboxProperty;
const texts = { type: 'array', items: { type: 'string' } };

const config = {
  type: 'object',
  description: 'What the sandbox is made of. Leave it out for what it was made of before',
  properties: {
    image: {
      type: 'string',
      description: 'Template or image, as in microsandbox/python or microsandbox/node',
    },
    memory: { type: 'integer', description: 'MiB' },
    cpus: { type: 'number', description: 'CPUs, as in 1 or 0.5' },
    volumes: {
      ...texts,
      description: 'Host directories that the operator allows, as host-path:guest-path',
    },
    ports: { ...texts, description: 'Not available: leave it out' },
    envs: { ...texts, description: 'Environment variables, as NAME=value' },
    depends_on: { ...texts, description: 'Sandboxes that are started first' },
    workdir: { type: 'string', description: 'Where programs start' },
    shell: { type: 'string' },
    scripts: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Files in /.sandbox/scripts, by name',
    },
    exec: { type: 'string', description: 'Main command' },
  },
  additionalProperties: false,
};

/** Those that the MCP server of microsandbox is documented to have, with their names. */
export const documentedTools: readonly McpTool[] = [
  mcpTool(
    'sandbox_start',
    'Start a sandbox, and make it when there is none of that name. It must run before anything else is done in it.',
    { properties: { sandbox, namespace, config }, required: ['sandbox'] },
    sandboxStart,
  ),
  mcpTool(
    'sandbox_stop',
    'Stop a sandbox. Its files are kept for the next start, its variables and programs are not.',
    { properties: { sandbox, namespace }, required: ['sandbox'] },
    sandboxStop,
  ),
  mcpTool(
    'sandbox_run_code',
    'Run code in a sandbox that runs. Variables are kept between runs, the value of the last expression is shown, and figures come back as images.',
    {
      properties: {
        sandbox,
        namespace,
        code: { type: 'string', description: 'As it would be in a file' },
        language: { type: 'string', description: 'python, or node (also nodejs, javascript)' },
        timeout: timeoutProperty,
      },
      required: ['sandbox', 'code', 'language'],
    },
    sandboxReplRun,
  ),
  mcpTool(
    'sandbox_run_command',
    'Run a program in a sandbox that runs, without a shell. For a shell, run sh with the arguments -c and the line.',
    {
      properties: {
        sandbox,
        namespace,
        command: { type: 'string', description: 'Program' },
        args: { ...texts, description: 'Its arguments' },
        timeout: timeoutProperty,
      },
      required: ['sandbox', 'command'],
    },
    sandboxCommandRun,
  ),
  mcpTool(
    'sandbox_get_metrics',
    'Tell whether a sandbox runs, and its use of CPU (percent of one), memory (MiB) and disk (bytes). Without a name, of all.',
    { properties: { sandbox, namespace } },
    sandboxMetricsGet,
  ),
];
