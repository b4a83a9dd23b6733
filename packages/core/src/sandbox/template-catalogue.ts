import { SandgateError } from '../error/sandgate-error.ts';
import type { EngineReport, TemplateInfo } from '../port/engine.ts';
import type { SandboxPolicy } from './sandbox-policy.ts';
import type { Template } from './template.ts';

/** What sandboxes can be made of: the engine's images, and the operator's further names for them. */
export class TemplateCatalogue {
  readonly #templates: readonly Template[];
  readonly #byName: ReadonlyMap<string, Template>;

  constructor(
    report: Pick<EngineReport, 'engine' | 'templates'>,
    policy: Pick<SandboxPolicy, 'templates' | 'defaultTemplate'>,
  ) {
    const images = new Map(report.templates.map((info) => [info.name, info]));
    const toTemplate = (info: TemplateInfo, name: string): Template => ({
      name,
      displayName: name,
      description: info.description,
      image: info.name,
      engine: info.engine ?? report.engine,
      languages: info.languages,
      isDefault: name === policy.defaultTemplate,
    });
    const own = report.templates.map((info) => toTemplate(info, shortName(info.name)));
    const aliases = Object.entries(policy.templates).flatMap(([name, alias]) => {
      const info = images.get(alias.image);
      // An alias of what this host does not have is not offered.
      if (info === undefined) return [];
      const { displayName = name, description = info.description } = alias;
      return [{ ...toTemplate(info, name), displayName, description }];
    });
    const offered = new Map([...own, ...aliases].map((template) => [template.name, template]));
    this.#templates = [...offered.values()].toSorted(
      (one, other) =>
        Number(other.isDefault) - Number(one.isDefault) || (one.name < other.name ? -1 : 1),
    );
    this.#byName = new Map([
      ...own.map((template): [string, Template] => [template.image, template]),
      ...offered,
    ]);
  }

  list(): readonly Template[] {
    return this.#templates;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** By its name, or by the engine's name of an image. @throws SandgateError `image_unknown` */
  find(name: string): Template {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    const names = this.#templates.map((template) => template.name).join(', ');
    throw new SandgateError(
      'image_unknown',
      `There is no template '${name}'. This server has: ${names === '' ? 'none' : names}`,
    );
  }
}

/** `microsandbox/python` is offered as `python`. */
const shortName = (image: string): string => image.slice(image.lastIndexOf('/') + 1);
