/** What CI runs where: each path of a suite names tests, and each tag is one that tests have. */

import { describe, expect, test } from 'vitest';
import { compiledFiles } from '../../scripts/test/compiled.mjs';
import * as suites from '../../scripts/test/suites.mjs';
import { TAGS } from '../support/tags.ts';
import { filesIn } from './repository.ts';

const lists = Object.entries(suites).flatMap(([name, list]) => {
  return Array.isArray(list) ? [{ name, list: list as string[] }] : [];
});

const HERE = import.meta.url;

function tagsIn(list: readonly string[]): string[] {
  const filter = list[list.indexOf('--tags-filter') + 1] ?? '';
  return list.includes('--tags-filter') ? filter.split(/[^\w-]+/).filter((tag) => tag !== '') : [];
}

describe('suites', () => {
  const tests = filesIn(['test'], ['.ts']).filter(({ path }) => path.endsWith('.test.ts'));
  const sources = filesIn(['test'], ['.ts']).map(({ text }) => text);

  test.each(lists)('$name: its paths name tests', ({ list }) => {
    const options = list.indexOf('--tags-filter');
    const paths = options < 0 ? list : list.slice(0, options);
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.filter((path) => !tests.some((file) => file.path.includes(path)))).toEqual([]);
  });

  test('each tag is asked for, and is that of a test', () => {
    const asked = new Set(lists.flatMap(({ list }) => tagsIn(list)));
    const names = TAGS.map(({ name }) => name);
    expect([...asked].sort()).toEqual([...names].sort());
    const tagged = (name: string) =>
      sources.some((text) => text.match(`tags: \\[[^\\]]*'${name}'`));
    expect(names.filter((name) => !tagged(name))).toEqual([]);
  });
});

test('the tests compile for guests: each module has its own address there', async () => {
  const files = await compiledFiles();
  const tests = filesIn(['test'], ['.test.ts']).map(({ path }) => path.replace(/\.ts$/, '.js'));
  expect(tests.filter((path) => !files.has(path))).toEqual([]);
  const addresses = files.get('test/style/suites.test.js') ?? '';
  expect(addresses).toContain('quoted import.meta.url stays');
  expect(HERE).toMatch(/\/test\/style\/suites\.test\.ts$/);
  expect(addresses).toContain('"file:///node-numa/test/style/suites.test.js"');
});
