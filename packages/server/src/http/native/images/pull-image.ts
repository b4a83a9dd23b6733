import {
  type ImagePullProgress,
  type PulledImage,
  registryImageOf,
  SandgateError,
} from '@sandgate/core';
import { z } from 'zod';
import { answerWithEvents, wantsEvents } from '../event-answer.ts';
import { defineRoute } from '../route.ts';
import { imageParams, namedImage } from './image-schemas.ts';

const pulledImage = z
  .strictObject({
    digest: z.string().meta({ description: 'Of the manifest that the reference means now' }),
    size_bytes: z.int().meta({ description: 'What it takes here, unpacked' }),
  })
  .meta({ id: 'PulledImage' });

export const pullImageRoute = defineRoute({
  operationId: 'pullImage',
  method: 'post',
  path: '/api/v1/images/{image}/pull',
  tag: 'Images',
  summary: 'Bring an image, or what is new of it',
  description:
    'With Accept: text/event-stream it tells by events progress how far it is, and at the end ready or error. A client that goes away gives it up, unless somebody else waits for it.',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'image.pull',
  params: imageParams,
  answer: pulledImage,
  media: ['text/event-stream'],
  errors: [
    'capability_missing',
    'digest_mismatch',
    'disk_full',
    'image_invalid',
    'image_not_found',
    'image_too_large',
    'image_unknown',
    'not_found',
    'platform_not_offered',
    'registry_not_allowed',
    'registry_unauthorized',
    'registry_unreachable',
  ],
  async run({ params }, context) {
    const { storage, access, exchange, change } = context;
    const { image } = await namedImage(context, params.image);
    change.note({ target: `image:${image.id}`, details: { name: image.name } });
    const registryImage = await registryImageOf(storage, image);
    if (registryImage === null) {
      throw new SandgateError(
        'image_unknown',
        `"${image.image}" names no registry: it is, or is to be, a template of the server`,
      );
    }
    const pull = (signal: AbortSignal, onProgress?: (progress: ImagePullProgress) => void) =>
      access.sandboxes.pullImage({ id: image.workspaceId }, registryImage, {
        signal,
        ...(onProgress === undefined ? {} : { onProgress }),
      });
    if (!wantsEvents(context)) return toPulled(await pull(exchange.signal));
    return await answerWithEvents(context, async (events, begin, signal) => {
      const pulled = await pull(signal, ({ phase, doneBytes, totalBytes }) => {
        begin();
        if (phase === 'ready') return;
        const data = { phase, done_bytes: doneBytes, total_bytes: totalBytes };
        void events.send({ event: 'progress', data });
      });
      begin();
      await events.send({ event: 'ready', data: toPulled(pulled) });
    });
  },
});

const toPulled = ({ digest, sizeBytes }: PulledImage): z.input<typeof pulledImage> => ({
  digest,
  size_bytes: sizeBytes,
});
