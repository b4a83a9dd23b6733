const aliases: Readonly<Record<string, string>> = {
  python: 'microsandbox/python',
  node: 'microsandbox/node',
};

/** The canonical name of an image: without a default registry, and without a tag. */
export function canonicalImage(image: string): string {
  const plain = image.replace(/^(docker\.io\/)(library\/)?/, '').replace(/:[A-Za-z0-9._-]+$/, '');
  return aliases[plain] ?? plain;
}
