import { describe, expect, it } from 'vitest';
import type { RpcReply } from './rpc-client.ts';
import { ensureSandbox } from './sandbox-call.ts';

const refusal = (code: string): RpcReply => ({ ok: false, message: code, data: { code } });
const running = (value: boolean): RpcReply => ({
  ok: true,
  result: { sandboxes: [{ running: value }] },
});

/** What is asked of a server that answers a look at the sandbox so. */
async function callsAfter(look: RpcReply, image?: string) {
  const calls: { method: string; params: object }[] = [];
  await ensureSandbox(
    async (method, params) => {
      calls.push({ method, params });
      return method === 'sandbox.metrics.get' ? look : { ok: true, result: 'started' };
    },
    { sandbox: 'box' },
    { image, newImage: 'microsandbox/node' },
  );
  return calls.filter(({ method }) => method !== 'sandbox.metrics.get');
}

const plainStart = { method: 'sandbox.start', params: { sandbox: 'box' } };
const startWith = (image: string) => ({
  method: 'sandbox.start',
  params: { sandbox: 'box', config: { image } },
});

describe('ensureSandbox', () => {
  it.each(['sandbox_not_found', 'workspace_not_found'])(
    'makes a new one after %s',
    async (code) => {
      expect(await callsAfter(refusal(code))).toEqual([startWith('microsandbox/node')]);
    },
  );

  it.each(['scope_missing', 'rate_limited', 'internal'])(
    'says nothing of an image after %s, so that a sandbox that is there stays what it is',
    async (code) => {
      expect(await callsAfter(refusal(code))).toEqual([plainStart]);
    },
  );

  it('starts a stopped one as it is, and leaves a running one alone', async () => {
    expect(await callsAfter(running(false))).toEqual([plainStart]);
    expect(await callsAfter(running(true))).toEqual([]);
  });

  it('makes it of the image that was asked for', async () => {
    expect(await callsAfter(running(true), 'mine')).toEqual([startWith('mine')]);
  });
});
