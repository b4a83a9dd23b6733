/** Properties that many tools have. */

export const sandboxProperty = {
  type: 'string',
  description: 'Name of the sandbox: letters, digits, hyphens and underscores, 63 at most',
};

export const namespaceProperty = {
  type: 'string',
  description: "Namespace of the sandbox. Leave it out for the API key's own",
};

export const timeoutProperty = {
  type: 'integer',
  minimum: 1,
  maximum: 86_400,
  description: 'Seconds after which it is ended',
};

export const pathProperty = {
  type: 'string',
  description: 'Absolute path inside the sandbox, as in /workspace/notes.txt',
};
