import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNamespaceEngine } from './namespace-engine.ts';

let state: string;
let engine: Engine;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sandgate-engine-'));
});

afterEach(async () => {
  await engine.close();
  rmSync(state, { recursive: true, force: true });
});

describe('a configured Python', () => {
  const probeWith = async (pythonPath: string) => {
    engine = createNamespaceEngine({ stateDirectory: state, pythonPath });
    const report = await engine.probe();
    return { report, finding: report.findings.find(({ subject }) => subject === 'python') };
  };

  it('is used alone', async () => {
    const { report, finding } = await probeWith('/usr/bin/python3');
    expect(finding).toMatchObject({ status: 'ok' });
    expect(finding?.message).toContain('/usr/bin/python3');
    expect(report.templates.map(({ name }) => name)).toContain('microsandbox/python');
  });

  it.each(['/usr/bin/true', '/usr/bin/python-of-nobody'])('that is %s is told of', async (path) => {
    const { report, finding } = await probeWith(path);
    expect(finding).toMatchObject({ status: 'missing' });
    expect(finding?.message).toContain(`The configured Python ${path} cannot be used`);
    expect(finding?.remedy).toContain('SANDGATE_PYTHON');
    expect(report.templates.map(({ name }) => name)).not.toContain('microsandbox/python');
  });
});
