/**
 * Hosts without NUMA, as the installed package finds them: other platforms, one node, no addons. It
 * runs in a process of its own, with the host injected.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, type TestContext, test } from 'vitest';
import { scaledTimeoutMs } from '../support/environment.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const INJECTION = fileURLToPath(new URL('workers/injected-host.mjs', import.meta.url));
const PROGRAM = fileURLToPath(new URL('workers/whole-api.mjs', import.meta.url));
const SERVICE = fileURLToPath(new URL('workers/service.mjs', import.meta.url));
const TIMEOUT_MS = scaledTimeoutMs(20_000);

interface Host {
  readonly platform?: string;
  readonly nodes?: string;
  readonly dlopen?: string;
  readonly denied?: readonly string[];
}

interface Outcome {
  readonly backend?: { readonly kind: string; readonly reason: string };
  readonly auto?: { readonly code: string; readonly message: string };
  readonly native?: { readonly code: string; readonly message: string };
  readonly seenAtImport: readonly string[];
  readonly seen: readonly string[];
}

async function runOn<T = Outcome>(
  context: TestContext,
  host: Host,
  options: string[] = [],
  program: string = PROGRAM,
): Promise<T> {
  if (!existsSync(`${projectFolder}/dist/index.js`)) context.skip('dist is missing: npm run build');
  const parameters = [...options, '--import', INJECTION, program];
  const env = { ...process.env, INJECTED_HOST: JSON.stringify(host), NODE_NUMA_BACKEND: '' };
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, parameters, { cwd: projectFolder, env });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as T;
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

interface Service {
  readonly backend?: { readonly kind: string; readonly reason: string };
  readonly nodes?: readonly { readonly id: number; readonly memoryBytes: number }[];
  readonly cpuCount?: number;
  readonly byEnvironment?: string;
  readonly isKept?: boolean;
  /** Why a policy cannot be set. */
  readonly refusal?: { readonly code: string };
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

const NO_ADDONS = ['--no-addons'];
const MISSING = 'libnuma.so.1: cannot open shared object file: No such file or directory';

/** Where no addon can be loaded: the host, options of Node.js, and what the reason says. */
const WITHOUT_ADDON: readonly [string, Host, string[], RegExp][] = [
  [
    'without addons',
    { nodes: '0' },
    NO_ADDONS,
    /^asked for by the caller; this Node.js does not load addons: .*; this host has one node wi/,
  ],
  [
    'without libnuma',
    { nodes: '0', dlopen: MISSING },
    [],
    /^asked for by the caller; libnuma.so.1 is not installed: .*; this host has one node wi/,
  ],
  [
    'on another platform',
    { platform: 'darwin' },
    [],
    /^asked for by the caller; darwin has no NUMA memory policy; sim/,
  ],
];

describe("the backend 'host'", () => {
  const serve = (context: TestContext, host: Host, options: string[] = []): Promise<Service> =>
    runOn<Service>(context, host, options, SERVICE);

  test.for(WITHOUT_ADDON)(
    'is one simulated node of the size of this machine %s',
    { timeout: TIMEOUT_MS },
    async ([, host, options, reason], context) => {
      const { backend, nodes, ...seen } = await serve(context, host, options);
      expect(backend?.kind).toBe('simulator');
      expect(backend?.reason).toMatch(reason);
      expect(backend?.reason).toMatch(/; simulates one node of its size$/);
      const memoryBytes = totalmem() - (totalmem() % 2 ** 20);
      expect(nodes).toMatchObject([{ id: 0, memoryBytes }]);
      expect(seen).toMatchObject({ cpuCount: cpus().length, isKept: true });
      expect(seen.byEnvironment).toMatch(/^asked for by NODE_NUMA_BACKEND; /);
      expect(seen.refusal).toBeUndefined();
    },
  );

  test.for([
    ['addons', { nodes: '0-3' }, NO_ADDONS, 'this Node.js does not load addons'],
    ['libnuma', { nodes: '0-3', dlopen: MISSING }, [], 'libnuma.so.1 is not installed'],
  ] as const)(
    'on several nodes without %s is an error, as by itself',
    { timeout: TIMEOUT_MS },
    async ([, host, options, message], context) => {
      const { error, backend } = await serve(context, host, [...options]);
      expect(backend).toBeUndefined();
      expect(error?.code).toBe('NUMA_BACKEND_UNAVAILABLE');
      expect(error?.message).toContain(message);
      expect(error?.hint.length).toBeGreaterThan(0);
    },
  );

  const denied = ['set_mempolicy', 'mbind', 'move_pages', 'move_pages_async'];
  test.for(['0', '0-3'])(
    'is native where the addon is there, whatever is denied, on nodes %s',
    { timeout: TIMEOUT_MS },
    async (nodes, context) => {
      const seen = await serve(context, { nodes, denied });
      expect(seen.backend).toMatchObject({ kind: 'native', reason: 'asked for by the caller' });
      expect(seen).toMatchObject({ isKept: true, refusal: { code: 'NUMA_NOT_PERMITTED' } });
    },
  );
});
