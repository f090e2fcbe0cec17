/**
 * Hosts without NUMA, as the installed package finds them: other platforms, one node, no addons. It
 * runs in a process of its own, with the host injected.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, type TestContext, test } from 'vitest';
import { scaledTimeoutMs } from '../support/environment.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const INJECTION = fileURLToPath(new URL('workers/injected-host.mjs', import.meta.url));
const PROGRAM = fileURLToPath(new URL('workers/whole-api.mjs', import.meta.url));
const TIMEOUT_MS = scaledTimeoutMs(20_000);

interface Host {
  readonly platform?: string;
  readonly nodes?: string;
}

interface Outcome {
  readonly backend?: { readonly kind: string; readonly reason: string };
  readonly auto?: { readonly code: string; readonly message: string };
  readonly native?: { readonly code: string; readonly message: string };
  readonly seenAtImport: readonly string[];
  readonly seen: readonly string[];
}

async function runOn(context: TestContext, host: Host, options: string[] = []): Promise<Outcome> {
  if (!existsSync(`${projectFolder}/dist/index.js`)) context.skip('dist is missing: npm run build');
  const parameters = [...options, '--import', INJECTION, PROGRAM];
  const env = { ...process.env, INJECTED_HOST: JSON.stringify(host), NODE_NUMA_BACKEND: '' };
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, parameters, { cwd: projectFolder, env });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Outcome;
}

const WORKS = {
  moved: 256,
  leftBehind: 0,
  byNode: { 2: 256 },
  isKept: true,
  tiers: [4, 4, 84],
  isAnswered: true,
};

describe('another platform', () => {
  test.for(['darwin', 'win32'])(
    '%s gets the simulator, and no file of Linux is looked for',
    { timeout: TIMEOUT_MS },
    async (platform, context) => {
      for (const options of [[], ['--no-addons']]) {
        const outcome = await runOn(context, { platform }, options);
        expect(outcome).toMatchObject(WORKS);
        expect(outcome.backend).toMatchObject({
          kind: 'simulator',
          reason: expect.stringContaining(`${platform} has no NUMA memory policy; simulates`),
        });
        expect(outcome.native).toMatchObject({ code: 'NUMA_BACKEND_UNAVAILABLE' });
        expect(outcome.native?.message).toContain(`${platform} has no NUMA memory policy`);
        expect(outcome.seen).toEqual([]);
      }
    },
  );
});

describe('a Linux host', () => {
  test(
    'with one node gets the simulator without the addon, too',
    async (context) => {
      const outcome = await runOn(context, { platform: 'linux', nodes: '0' }, ['--no-addons']);
      expect(outcome).toMatchObject(WORKS);
      expect(outcome.backend?.reason).toContain('this host has one node with memory; simulates');
      expect(outcome.native?.message).toContain('this Node.js does not load addons');
      expect(outcome.seenAtImport).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    'with several nodes is never simulated silently: without the addon it is an error',
    async (context) => {
      const outcome = await runOn(context, { platform: 'linux', nodes: '0-3' }, ['--no-addons']);
      expect(outcome.backend).toBeUndefined();
      expect(outcome.auto?.code).toBe('NUMA_BACKEND_UNAVAILABLE');
      expect(outcome.auto?.message).toContain('this Node.js does not load addons');
    },
    TIMEOUT_MS,
  );
});
