import { expect, it } from 'vitest';
import { DockerPullProgress, readPullEvents } from './pull-events.ts';

it('reads events out of any cut of the stream', async () => {
  const bytes = Buffer.from('{"status":"é"}\r\n\n{"status":"b","id":"1"}\n{"error":"c"}');
  for (const size of [1, 7, bytes.length]) {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const events = [];
    for await (const event of readPullEvents(pieces())) events.push(event);
    expect(events).toEqual([{ status: 'é' }, { status: 'b', id: '1' }, { error: 'c' }]);
  }
});

it('adds up what the layers have come to', () => {
  const progress = new DockerPullProgress();
  const add = (status: string, id: string, current = 0, total = 0) =>
    progress.add({ status, id, progressDetail: { current, total } });
  expect(add('Pulling fs layer', 'a')).toBeNull();
  expect(add('Downloading', 'a', 10, 100)).toMatchObject({ doneBytes: 10, totalBytes: 100 });
  expect(add('Downloading', 'b', 5, 50)).toMatchObject({
    layer: 'b',
    doneBytes: 15,
    totalBytes: 150,
  });
  expect(add('Download complete', 'b')).toMatchObject({ phase: 'downloading', doneBytes: 60 });
  expect(add('Extracting', 'a', 1, 100)).toMatchObject({ phase: 'extracting', doneBytes: 150 });
  expect(add('Pull complete', 'a')).toMatchObject({ phase: 'extracting', doneBytes: 150 });
  expect(add('Already exists', 'c')).toBeNull();
});
