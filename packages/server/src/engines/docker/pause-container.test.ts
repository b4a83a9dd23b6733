import { describe, expect, it } from 'vitest';
import { pauseContainer } from './pause-container.ts';

const refusal = (statusCode: number, message: string) =>
  Object.assign(new Error(message), { statusCode });
const busy = refusal(500, 'Cannot pause container 1: OCI runtime pause failed: unable to freeze');

/** A container that answers with each failure in turn, and then does as it is told. */
function scripted(failures: readonly Error[]) {
  let asked = 0;
  const pause = async (): Promise<void> => {
    const failure = failures[asked];
    asked += 1;
    if (failure !== undefined) throw failure;
  };
  return { pause, asked: () => asked };
}

describe('pauseContainer', () => {
  it('asks again while the runtime cannot freeze all processes', async () => {
    const container = scripted([busy, busy]);
    await pauseContainer(container);
    expect(container.asked()).toBe(3);
  });

  it('gives up in the end', async () => {
    const container = scripted(Array.from({ length: 9 }, () => busy));
    await expect(pauseContainer(container)).rejects.toBe(busy);
    expect(container.asked()).toBe(5);
  });

  it('takes any other failure as final', async () => {
    const failure = refusal(409, 'Container 1 is not running');
    const container = scripted([failure]);
    await expect(pauseContainer(container)).rejects.toBe(failure);
    expect(container.asked()).toBe(1);
  });
});
