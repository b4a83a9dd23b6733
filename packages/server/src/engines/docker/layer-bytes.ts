import type Docker from 'dockerode';
import { explainDocker } from './docker-failure.ts';

/** Bytes that a container holds beside its image. */
export async function layerBytes(container: Docker.Container): Promise<number> {
  try {
    const options: Docker.ContainerInspectOptions & { readonly size: boolean } = { size: true };
    const inspected: Docker.ContainerInspectInfo & { readonly SizeRw?: number } =
      await container.inspect(options);
    return inspected.SizeRw ?? 0;
  } catch (error) {
    throw explainDocker(error);
  }
}
