import { type EngineFinding, SandgateError } from '@sandgate/core';
import type { LaunchContext } from '../launch-sandbox.ts';
import type { Template } from '../template/template.ts';
import type { TemplateImage } from './image-source.ts';
import { lookIntoImage } from './look-into-image.ts';
import { requireStartable } from './require-startable.ts';

/** Templates of the images that the operator has named. One that cannot be used is told of, and left out. */
export async function findImageTemplates(
  context: LaunchContext,
  images: readonly TemplateImage[],
  findings: EngineFinding[],
): Promise<Template[]> {
  const templates: Template[] = [];
  for (const { name, description, setting, hold } of images) {
    const subject = `image ${name}`;
    try {
      const held = await hold();
      try {
        requireStartable(context, held);
        const programs = await lookIntoImage(context, held);
        const { languages } = programs;
        templates.push({ name, languages, description, steps: [], image: { held, programs } });
        findings.push({ subject, status: 'ok', message: `${description} can be started.` });
      } catch (error) {
        held.release();
        throw error;
      }
    } catch (error) {
      const detail = error instanceof SandgateError ? error.detail : undefined;
      const message = error instanceof Error ? error.message : String(error);
      findings.push({
        subject,
        status: 'missing',
        message: detail === undefined ? message : `${message} (${detail})`,
        remedy: `Change ${setting}, or leave it out.`,
      });
    }
  }
  return templates;
}
