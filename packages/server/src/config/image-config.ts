import { z } from 'zod';
import {
  absolutePath,
  flag,
  hostName,
  mebibytes,
  templateName,
  wholeNumber,
} from './config-forms.ts';

/** Images of registries and of this machine. */
export const imageConfig = () =>
  z
    .strictObject({
      /** Null: of the home, or where sandboxes of a root server can reach it. */
      directory: absolutePath().nullable().default(null),
      /** Of one image, packed or unpacked. */
      maxMib: mebibytes().default(16_384),
      /** Of all images together. */
      storeMib: mebibytes().default(102_400),
      /** How long one pull may take. */
      pullSeconds: wholeNumber(10, 86_400).default(3_600),
      /** Directories and archives of this machine, by the name of the template that each makes. */
      local: z
        .record(
          templateName(),
          z.strictObject({
            path: absolutePath(),
            description: z.string().max(200).nullable().default(null),
          }),
        )
        .default({}),
      /** Images of registries, by the name of the template that each makes. */
      templates: z
        .record(
          templateName(),
          z.strictObject({
            reference: z.string().min(1),
            description: z.string().max(200).nullable().default(null),
            username: z.string().min(1).nullable().default(null),
            password: z.string().min(1).nullable().default(null),
            /** Without TLS. */
            allowHttp: flag().default(false),
          }),
        )
        .default({}),
      /** Registries that may be called although they are private, and without TLS. */
      allowedPrivateHosts: z.array(hostName()).default([]),
    })
    .prefault({});
