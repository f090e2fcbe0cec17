/**
 * What docs/cli.md promises of each command, held against the program, both ways: options and
 * their words, members of JSON, exit statuses, findings, terms of filters, and examples with their
 * output.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commands } from '../../lib/cli/commands/index.ts';
import { EXIT } from '../../lib/cli/exit-codes.ts';
import { parseFilter } from '../../lib/cli/mapping-filter-text.ts';
import { EXIT_STATUS } from '../../lib/cli/program-text.ts';
import { oldestKernelLine } from '../../lib/core/kernels.ts';
import { MAPPING_KINDS } from '../../lib/core/mapping-kind.ts';
import { openNuma } from '../../lib/index.ts';
import { examine } from '../../lib/services/doctor/examine.ts';
import { kernelLines, Machine, presets } from '../../lib/simulator/public.ts';
import { filesIn, readRepositoryFile } from '../style/repository.ts';
import { numaCallsUnmet } from '../support/needs.ts';
import { runCommand } from './run-command.ts';

const PAGE = readRepositoryFile('docs/cli.md');
const obstacle = await numaCallsUnmet();
const folder = mkdtempSync(join(tmpdir(), 'node-numa-docs-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What stands before the first command, and each command's part, by its name. */
const parts = new Map(
  PAGE.split(/^## /m).map((part, at) => {
    return at === 0 ? ['', part] : [part.slice(0, part.indexOf('\n')), part];
  }),
);
const names = commands.map(({ name }) => name);

function partOf(name: string): string {
  return parts.get(name) ?? '';
}

function spansOf(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) =>
    (span as string).replaceAll('\\|', '|'),
  );
}

/** Rows of the tables with such a heading, as the text of their cells. */
function rowsOf(text: string, heading: string): string[][] {
  const rows: string[][] = [];
  let isInside = false;
  for (const line of text.split('\n')) {
    if (line.startsWith(`| ${heading} |`)) isInside = true;
    else if (!line.startsWith('|')) isInside = false;
    else if (isInside && !line.startsWith('| ---')) {
      rows.push(
        line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      );
    }
  }
  return rows;
}

test('has a part for each command, and no other', () => {
  expect([...parts.keys()].slice(1).sort()).toEqual([...names].sort());
});

test('has the exit statuses', () => {
  const words = (text: string): string => text.replaceAll(/[^A-Za-z ]/g, '');
  const told = rowsOf(partOf(''), 'exit status').map(([status, means = '']) => {
    return [Number(status), words(means)];
  });
  expect(told).toEqual(EXIT_STATUS.map(([status, means]) => [status, words(means)]));
  expect(told.map(([status]) => status)).toEqual(Object.values(EXIT));
});

describe('options', () => {
  const shared = ['--json', '--machine', '--kernel', '--color'];

  test('that commands share are told at the start', () => {
    const told = rowsOf(partOf(''), 'option').map(
      ([first = '']) => spansOf(first)[0]?.split(' ')[0],
    );
    expect(told).toEqual(shared);
    const [, , kernels = [], colours = []] = rowsOf(partOf(''), 'option').map(([, what = '']) =>
      spansOf(what),
    );
    expect(kernels).toEqual(kernelLines);
    expect(colours.slice(0, 3)).toEqual(['auto', 'always', 'never']);
  });

  test.each(commands)('of $name', ({ name, options = [], takesMachine }) => {
    const spans = spansOf(partOf(name)).join(' ');
    for (const { long = '', argChoices = [] } of options) {
      expect(spans).toMatch(new RegExp(`${long}(?![\\w-])`));
      for (const choice of argChoices)
        expect([long, partOf(name)]).toEqual([long, expect.stringContaining(choice)]);
    }
    const others = rowsOf(partOf(name), 'numactl').flatMap(([first = '']) => spansOf(first));
    const known = new Set([
      ...options.flatMap(({ long, short }) => [long, short]),
      ...shared,
      ...others,
    ]);
    const told = spansOf(partOf(name))
      .filter((span) => span.startsWith('-'))
      .map((span) => span.split(/[ =]/)[0]);
    expect(told.filter((option) => !known.has(option))).toEqual([]);
    // What speaks of this host only is told there, too.
    const hostOnly = /\n\| `--machine NAME` .*?(`top`.*)\n/.exec(partOf(''))?.[1] ?? '';
    const isSpoken = names.length > 0 && !['completion', 'man'].includes(name);
    if (isSpoken) expect([name, hostOnly.includes(`\`${name}\``)]).toEqual([name, !takesMachine]);
  });
});

test('filters of mappings', () => {
  const rows = rowsOf(partOf('where'), 'term');
  expect(spansOf(rows[0]?.[1] ?? '')).toEqual(MAPPING_KINDS);
  const terms = rows
    .flatMap(([first = '']) => spansOf(first))
    .map((term) => term.replace('A-B', 'a-b'));
  expect(terms.length).toBeGreaterThan(6);
  for (const term of terms) expect(parseFilter(term, undefined)).toHaveLength(1);
});

describe('members of JSON', () => {
  /** Paths that a value has; members whose names are numbers count as one. */
  function pathsIn(value: unknown, path: string, found: Map<string, boolean>): void {
    const isObject = typeof value === 'object' && value !== null;
    const entries = isObject ? Object.entries(value) : [];
    const isFilled = entries.some(([name]) => Array.isArray(value) || !/^\d+$/.test(name));
    if (path !== '') found.set(path, (found.get(path) ?? false) || isFilled);
    for (const [name, member] of entries) {
      const isIndex = /^\d+$/.test(name);
      if (isIndex && !Array.isArray(value)) continue;
      pathsIn(member, isIndex ? path : path === '' ? name : `${path}.${name}`, found);
    }
  }

  /** `nodes[].id`, `.cpus` and `{ a, b }` of what stands before it. */
  function toldIn(text: string): string[] {
    return rowsOf(text, 'member').flatMap(([first = '', what = '']) => {
      const paths: string[] = [];
      for (const span of spansOf(first)) {
        const before = paths.at(-1) ?? '';
        paths.push(span.startsWith('.') ? `${before.replace(/\.?[^.]*$/, '')}${span}` : span);
      }
      const members = spansOf(what).flatMap((span) => {
        const inside = /^\{(.*)\}$/.exec(span)?.[1];
        return inside === undefined ? [] : inside.split(',').map((name) => name.trim());
      });
      const inner = paths.flatMap((path) => members.map((name) => `${path}.${name}`));
      return [...paths, ...inner].map((path) => path.replaceAll('[]', ''));
    });
  }

  /** A name in capitals stands for any, and a star for all that is below. */
  function isTold(path: string, told: readonly string[]): boolean {
    const words = path.split('.');
    return told.some((one) => {
      const pattern = one.split('.');
      return words.every((word, at) => {
        if (pattern.slice(0, at + 1).includes('*')) return true;
        return pattern[at] === word || /^[A-Z]+$/.test(pattern[at] ?? '');
      });
    });
  }

  const scenario = join(folder, 'scenario.json');
  const steps = [
    { do: 'process', name: 'owner' },
    { do: 'map', name: 'heap', pageCount: 1 },
    { do: 'touch', mapping: 'heap' },
    { do: 'movePages', mapping: 'heap', to: 0 },
  ];
  const head = { format: 1, name: 'docs', summary: 'One page.', machine: 'four-nodes' };
  writeFileSync(scenario, JSON.stringify({ ...head, steps }));
  const MACHINE = ['--machine', 'two-services'];
  const NATIVE: Readonly<Record<string, readonly string[][]>> = {
    top: [[]],
    run: [['--show']],
    simulate: [[scenario, '--record', join(folder, 'recorded.json')]],
  };
  const SIMULATED: Readonly<Record<string, readonly string[][]>> = {
    nodes: [MACHINE, ['--machine', 'machines/sparse-ids.json']],
    where: [['101', '--maps', ...MACHINE]],
    stat: [MACHINE, ['100', '4000000', ...MACHINE]],
    migrate: [
      ['100', '--to', '1', '--dry-run', ...MACHINE],
      ['101', '--to', '1', '--include-shared', ...MACHINE],
      ['100', '--to', '1', '--at-once', ...MACHINE],
    ],
    doctor: [MACHINE],
    simulate: [['writer', '--trace'], ['--list']],
  };

  /** The doctor on a machine that refuses a call. */
  async function examined(): Promise<unknown> {
    const machine = new Machine(presets.fourNodes, { kernel: oldestKernelLine });
    for (const call of ['move_pages', 'mbind'] as const) machine.faults.deny(call);
    return examine(openNuma({ machine }));
  }

  const withJson = commands.filter(({ takesJson }) => takesJson).map(({ name }) => name);

  test.each(withJson)('of %s', { timeout: 30_000 }, async (name) => {
    const [, backend = ''] = /"kind".*?\}/s.exec(partOf('')) === null ? [] : ['', partOf('')];
    const common = [...backend.matchAll(/^\{ ("kind".*) \}$/gm)].flatMap(([, members = '']) =>
      [...members.matchAll(/"(\w+)":/g)].map(([, member]) => `backend.${member}`),
    );
    expect(common).toEqual(['backend.kind', 'backend.kernel', 'backend.libnuma', 'backend.reason']);
    const told = [...toldIn(partOf(name)), ...(name === 'doctor' ? [] : common)];
    const found = new Map<string, boolean>();
    const natives = obstacle === undefined ? (NATIVE[name] ?? []) : [];
    for (const words of [...(SIMULATED[name] ?? []), ...natives]) {
      const { stdout } = await runCommand([name, ...words, '--json']);
      pathsIn(JSON.parse(stdout), '', found);
    }
    if (name === 'doctor') pathsIn(JSON.parse(JSON.stringify(await examined())), '', found);
    if (found.size === 0) return;
    const untold = [...found.keys()].filter((path) => {
      return !isTold(path, told) && !(name === 'doctor' && path.startsWith('backend.'));
    });
    expect(untold).toEqual([]);
    // What is told of members of lists that were empty here is not to be seen.
    const empty = [...found].filter(([, isFilled]) => !isFilled).map(([path]) => path);
    const unseen = told.filter((path) => {
      const isSeen = [...found.keys()].some(
        (one) =>
          isTold(one, [path]) && one.split('.').length >= path.replace('.*', '').split('.').length,
      );
      return !isSeen && !empty.some((one) => isTold(one, [path]));
    });
    const isPartial = obstacle !== undefined && NATIVE[name] !== undefined;
    if (!isPartial) expect(unseen).toEqual([]);
  });
});

test('findings of the doctor', async () => {
  const told = rowsOf(partOf('doctor'), 'id of a finding').flatMap(([first = '']) => {
    const ids: string[] = [];
    for (const span of spansOf(first)) {
      ids.push(span.startsWith('.') ? `${(ids.at(-1) ?? '').split('.')[0]}${span}` : span);
    }
    return ids;
  });
  const patterns = told.map(
    (id) => new RegExp(`^${id.replaceAll('.', '\\.').replaceAll(/[A-Z]{3,}/g, '.+')}$`),
  );
  const machine = new Machine(presets.fourNodes, { kernel: oldestKernelLine });
  machine.faults.deny('move_pages');
  const examinations = [await examine(openNuma({ machine }))];
  if (obstacle === undefined) examinations.push(await examine(openNuma({ backend: 'native' })));
  const ids = examinations.flatMap(({ findings }) => findings.map(({ id }) => id));
  expect(ids.filter((id) => !patterns.some((pattern) => pattern.test(id)))).toEqual([]);
  const source = filesIn(['lib/services/doctor'], ['.ts'])
    .map(({ text }) => text)
    .join('\n');
  const unknown = told.filter((id) => {
    const [word = ''] = id.split(/\.[A-Z]/);
    return !ids.includes(id) && !source.includes(`'${word}'`) && !source.includes(`\`${word}.$`);
  });
  expect(unknown).toEqual([]);
});

describe('examples', () => {
  const blocks = [...PAGE.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)];
  const shown = blocks.map(([, block]) => block as string).filter((one) => one.startsWith('$ '));

  test('there are some', () => expect(shown.length).toBeGreaterThan(1));

  test.each(shown)('%s', async (block) => {
    const [line = '', ...output] = block.split('\n');
    const words = line.replace('$ node-numa ', '').split(' ');
    const { stdout } = await runCommand([...words, '--color', 'never'], { columns: 90 });
    expect(stdout).toBe(output.join('\n'));
  });
});
