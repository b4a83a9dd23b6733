import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { allowListProblem } from '@sandgate/core';
import { z } from 'zod';

export const wholeNumber = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};

export const cpuCount = () => {
  const error = 'must be a number of CPUs from 0.01 to 1024, as in 1 or 0.5';
  return z.number({ error }).min(0.01, { error }).max(1_024, { error });
};

export const absolutePath = () => {
  const error = 'must be an absolute path';
  return z.string({ error }).refine((path) => isAbsolute(path) && !path.includes('\0'), { error });
};

export const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z.enum(values, { error: `must be one of: ${values.join(', ')}` });

export const flag = () => z.boolean({ error: 'must be true or false' });

export const host = () => {
  const error = 'must be an IP address or "localhost"';
  return z.string({ error }).refine((text) => text === 'localhost' || isIP(text) !== 0, { error });
};

export const addressBlock = () =>
  z.string().refine((text) => allowListProblem(text) === null, {
    error: 'must be an IP address or CIDR block, as in 10.1.0.0/16',
  });

export const nameServer = () => {
  const error =
    'must be an IP address, with or without a port, as in 192.0.2.53 or [2001:db8::53]:5353';
  return z.string({ error }).refine(
    (text) => {
      const [, bracketed, plain, port = '53'] =
        /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
      const address = bracketed ?? plain ?? text;
      return isIP(address) !== 0 && Number(port) >= 1 && Number(port) <= 65_535;
    },
    { error },
  );
};

export const hostName = () =>
  z.string().regex(/^[a-z0-9.:-]{1,253}$/, {
    error: 'must be a host name or IP address in lower case, without port or brackets',
  });

export const httpUrl = () => {
  const error = 'must be an http or https URL without a query, as in https://sandgate.example';
  return z.string({ error }).refine(
    (text) => {
      const url = URL.canParse(text) ? new URL(text) : null;
      return url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
    },
    { error },
  );
};

export const mebibytes = () => wholeNumber(16, 16_777_216);

export const templateName = () =>
  z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
    error: 'must be a name of a-z, 0-9, dots, hyphens and underscores',
  });
