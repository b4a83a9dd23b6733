import type { Container } from 'dockerode';
import { dockerStatus } from './docker-failure.ts';

const attempts = 5;

/**
 * Holds a container still. Its runtime gives up when processes come faster than it freezes them, on a busy
 * machine or with a cgroup of version 1, and leaves them running: then it is asked again.
 */
export async function pauseContainer(container: Pick<Container, 'pause'>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await container.pause();
      return;
    } catch (error) {
      const mayPass = dockerStatus(error) === 500 && /unable to freeze/.test(String(error));
      if (!mayPass || attempt === attempts) throw error;
    }
  }
}
