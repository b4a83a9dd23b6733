import { SandgateError } from '@sandgate/core';

/** The one place where everything is: this machine. */
export const region = {
  id: '10ca10000000000000000001',
  name: 'local',
  country: 'local',
  continent: null,
  enabled: true,
  type: 'sandbox',
  provider: 'sandgate',
  is_paid: false,
} as const;

/**
 * Takes the id or the name of a region, or `auto`. Any other is refused: what somebody wants to have
 * elsewhere must not be here without their knowing.
 * @throws SandgateError `invalid_request`
 */
export function requireRegion(wanted: string | undefined): typeof region {
  const names: readonly (string | undefined)[] = [undefined, '', 'auto', region.id, region.name];
  if (names.includes(wanted)) return region;
  throw new SandgateError(
    'invalid_request',
    `region: there is no region ${JSON.stringify(wanted)}. This server has one, "${region.name}"; leave it out, or send auto`,
  );
}
