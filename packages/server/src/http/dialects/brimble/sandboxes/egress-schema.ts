import { egressModes } from '@sandgate/core';
import { z } from 'zod';
import { optional } from '../resource-ids.ts';

/** What may be allowed is judged where the policy is built. */
export const egressSchema = z.object({
  mode: z.enum(egressModes),
  allow: optional(z.array(z.string().min(1).max(253)).max(50)),
});

/** A request's policy as the domain takes it. */
export const toPolicy = ({ mode, allow }: z.output<typeof egressSchema>) =>
  mode === 'restricted' ? { mode, allow: allow ?? [] } : { mode };
