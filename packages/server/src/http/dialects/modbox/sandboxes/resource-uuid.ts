const idForm = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{3})([0-9a-f]{3})([0-9a-f]{6})$/;
const uuidForm = /^([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-8([0-9a-f]{3})-([0-9a-f]{6})000000$/;

/** Of 24 hex digits, the UUID that this door's clients know them by: version 8 of RFC 9562, 5.8. */
export function uuidOf(resourceId: string): string {
  if (!idForm.test(resourceId)) throw new Error(`${resourceId} is not the id of a resource.`);
  return resourceId.replace(idForm, '$1-$2-8$3-8$4-$5000000');
}

/** The way back. Null for what is no such UUID. */
export function resourceIdOf(uuid: string): string | null {
  const digits = uuidForm.exec(uuid.toLowerCase());
  return digits === null ? null : digits.slice(1).join('');
}
