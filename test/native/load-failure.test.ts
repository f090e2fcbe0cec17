/** Why the addon cannot be loaded, told from what the loader says. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { explainLoadFailure, type LoadFailure } from '../../lib/native-backend/load-failure.ts';

const addonFile = fileURLToPath(new URL('../../build/Release/node_numa.node', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'node-numa-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What loading a changed copy of the addon throws. */
function failureOf(name: string, change: (bytes: Buffer) => Buffer): unknown {
  const file = join(folder, `${name}.node`);
  writeFileSync(file, change(readFileSync(addonFile)));
  try {
    createRequire(import.meta.url)(file);
  } catch (error) {
    return error;
  }
  throw new Error('the changed addon was loaded');
}

function explain(error: unknown): LoadFailure {
  return explainLoadFailure([{ file: '/there/x.node', error }], 'linux-riscv64');
}

function withText(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
}

function withMessage(message: string, code = 'ERR_DLOPEN_FAILED'): Error {
  return Object.assign(new Error(message), { code });
}

describe('the loader of this machine', () => {
  it('names a libnuma that is missing', () => {
    const error = failureOf('missing', (bytes) => withText(bytes, 'libnuma.so.1', 'libnuma.so.9'));
    const { reason, hint } = explain(error);
    expect(reason).toMatch(/^libnuma.so.1 is not installed: libnuma.so.9/);
    expect(hint).toMatch(/libnuma1 .*numactl-libs .*Alpine/);
  });

  it('refuses what is no addon', () => {
    const error = failureOf('text', () => Buffer.from('no addon at all, only a text'));
    expect(explain(error).reason).toMatch(/another processor|cannot be loaded/);
  });

  it('loads where only the project may be read, and what needs /proc says so', () => {
    const names = ['--permission', '--experimental-permission'];
    const flag = names.find((name) => process.allowedNodeEnvironmentFlags.has(name)) as string;
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const index = JSON.stringify(`${root}dist/index.js`);
    const script = `import(${index}).then(({ openNuma, local }) => {
      const numa = openNuma({ backend: 'native' });
      numa.allocate(1).touch();
      try { numa.view(new Uint8Array(1e6)).setPolicy(local()); }
      catch ({ code }) { console.log(code); }
    })`;
    const readable = `--allow-fs-read=${root}*`;
    const options = [flag, '--allow-addons', '--no-warnings', readable, '-e', script];
    const { stdout, stderr } = spawnSync(process.execPath, options);
    expect(`${stdout}${stderr}`).toBe('NUMA_UNSUPPORTED\n');
  });

  it('loads nothing under --no-addons', () => {
    const script = `try { require(${JSON.stringify(addonFile)}) }
      catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }`;
    const { stdout } = spawnSync(process.execPath, ['--no-addons', '-e', script]);
    const { code, message } = JSON.parse(stdout.toString());
    expect(explain(withMessage(message, code)).hint).toMatch(/--no-addons/);
  });
});

describe('the words of other loaders', () => {
  const cases: [string, RegExp][] = [
    ["Cannot find module 'bindings'", /^the package `bindings`.* is not installed/],
    [
      'Could not locate the bindings file. Tried:\n → /x/build',
      /^there is no addon for linux-riscv64: no file \/there\/x.node$/,
    ],
    [
      'Error loading shared library libnuma.so.1: No such file or directory (needed by x.node)',
      /^libnuma.so.1 is not installed/,
    ],
    ["/lib/libc.so.6: version `GLIBC_2.38' not found (required by x.node)", /another C library/],
    ['Error relocating x.node: __memcpy_chk: symbol not found', /another C library/],
    [
      'Error loading shared library ld-linux-x86-64.so.2: No such file or directory',
      /another C library/,
    ],
    ["/lib/libnuma.so.1: version `libnuma_1.5' not found (required by x)", /libnuma is too old/],
    ['x.node: invalid ELF header', /another processor/],
    ['something new', /^the addon cannot be loaded: something new \(\/there\/x.node\)$/],
  ];

  for (const [message, reason] of cases) {
    it(`are understood: ${message.split('\n')[0]}`, () => {
      const code = /^Cannot find/.test(message) ? 'MODULE_NOT_FOUND' : 'ERR_DLOPEN_FAILED';
      expect(explain(withMessage(message, code)).reason).toMatch(reason);
    });
  }

  it('are told of the file that is there, and so is where none is', () => {
    const absent = withMessage("Cannot find module '/built/x.node'", 'MODULE_NOT_FOUND');
    const attempts = [
      { file: '/built/x.node', error: absent },
      { file: '/prebuilt/x.node', error: withMessage('/prebuilt/x.node: invalid ELF header') },
    ];
    expect(explainLoadFailure(attempts, 'linux-x64').reason).toBe(
      'the addon was built for another processor: /prebuilt/x.node: invalid ELF header; ' +
        'nor is there a file /built/x.node',
    );
  });

  it('may be no error at all', () => {
    expect(explain('thrown text').reason).toMatch(/thrown text/);
  });
});
