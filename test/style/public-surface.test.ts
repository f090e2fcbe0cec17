/**
 * The declarations that users compile against, as one text: the public surface changes only on
 * purpose. After such a change: npx vitest run test/style -u
 */

import { relative } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { ROOT } from './repository.ts';

const typescript = await import('typescript').then(
  (module) => module.default as unknown as TypeScript,
  (): undefined => undefined,
);

type TypeScript = typeof import('typescript');

/** The declarations that tsconfig.build.json emits, by file name beneath lib/. */
function emitDeclarations(ts: TypeScript): Map<string, string> {
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.build.json`, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const program = ts.createProgram(fileNames, {
    ...options,
    emitDeclarationOnly: true,
    // The build has checked the types.
    noCheck: true,
    declarationMap: false,
    removeComments: true,
  });
  const declarations = new Map<string, string>();
  const { diagnostics } = program.emit(undefined, (path, text) => {
    declarations.set(relative(`${ROOT}dist`, path), text);
  });
  const problems = [...program.getSyntacticDiagnostics(), ...diagnostics];
  if (problems.length > 0) throw new Error('lib does not compile: see npm run check');
  return declarations;
}

/** What the package's entry points reach, in the order in which they do. */
function reachable(declarations: ReadonlyMap<string, string>): string[] {
  const reached: string[] = [];
  const open = [
    ...['index.d.ts', 'syscalls/public.d.ts', 'simulator/public.d.ts'],
    ...['testing/public.d.ts', 'testing/vitest.d.ts'],
  ];
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    if (reached.includes(path)) continue;
    reached.push(path);
    const text = declarations.get(path) ?? '';
    for (const [, specifier] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      const target = new URL(specifier as string, `file:///${path}`).pathname.slice(1);
      open.push(target.replace(/\.(js|ts)$/, '.d.ts'));
    }
  }
  return reached;
}

let emitted: ReadonlyMap<string, string> | undefined;

/** The compiler is a tool of the host: the guest runs what it has made. */
function needDeclarations(context: TestContext): ReadonlyMap<string, string> {
  if (typescript === undefined) context.skip('typescript is not installed here');
  emitted ??= emitDeclarations(typescript);
  return emitted;
}

// The compiler reads all of lib.
const options = { timeout: 60_000 };

test('the public surface is the recorded one', options, async (context) => {
  const declarations = needDeclarations(context);
  const paths = reachable(declarations);
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !declarations.has(path))).toEqual([]);
  const surface = paths.map((path) => `// ${path}\n${declarations.get(path)?.trim()}\n`).join('\n');
  await expect(surface).toMatchFileSnapshot('__snapshots__/public-surface.d.ts.snapshot');
});

test('no declaration names a file of the addon or the loader', (context) => {
  const declarations = needDeclarations(context);
  const paths = reachable(declarations);
  expect(paths.filter((path) => path.startsWith('native-backend/'))).toEqual([]);
});
