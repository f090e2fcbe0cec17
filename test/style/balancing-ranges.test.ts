/** docs/contract/balancing-ranges.md against the data that the contract's tests are made of. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type KernelFacts, kernelFacts } from '../../lib/core/kernel-facts.ts';
import { actorsOf } from '../contract/balancing-kinds.ts';
import {
  heldRanges,
  homeRanges,
  hugeRanges,
  secretRanges,
  specialRanges,
} from '../contract/balancing-ranges.ts';
import type { Scene } from '../contract/scene.ts';
import { ROOT } from './repository.ts';

/** Of the columns of the tables. */
const RELEASES = ['6.1.192', '6.12.117', '6.18.15', '7.2.12'];
const DOCUMENT = readFileSync(`${ROOT}docs/contract/balancing-ranges.md`, 'utf8');
const ENTRIES = readFileSync(`${ROOT}docs/contract/6-balancing.md`, 'utf8');
const NO_ANSWER = '-';

/** Each name with its answer on each kernel, as a line of a table begins. */
function linesOf(answersOf: (facts: KernelFacts) => readonly (readonly [string, string])[]) {
  const columns = RELEASES.map((release) => new Map(answersOf(kernelFacts(release))));
  const names = new Set(columns.flatMap((column) => [...column.keys()]));
  return [...names].map((name) => {
    const answers = columns.map((column) => column.get(name) ?? NO_ANSWER);
    return `| ${[name, ...answers].join(' | ')} |`;
  });
}

/** The same of a chapter's table. */
function linesIn(chapter: string): string[] {
  const text = DOCUMENT.split('\n## ').find((part) => part.startsWith(chapter)) ?? '';
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  const cells = rows.slice(1).map((line) => line.split(/(?<!\\) \| |^\| /).slice(1, 6));
  return cells.map((row) => `| ${row.join(' | ').replaceAll('\\|', '|')} |`);
}

test('the ranges that are marked, or not, are those that are tested', () => {
  const tested = linesOf((facts) => {
    const sets = [heldRanges, homeRanges, specialRanges, secretRanges, hugeRanges];
    return sets
      .flatMap((rangesOf) => rangesOf(facts))
      .map(({ name, isMarked }) => [name, isMarked ? 'marked' : 'no'] as const);
  });
  expect(linesIn('Pages that are marked, or not')).toEqual(tested);
});

test('the ranges that move, or stay, are those that are tested', () => {
  const tested = linesOf((facts) =>
    // Nothing is prepared: names and fates are looked at.
    actorsOf({ facts } as Scene).flatMap(({ name, kinds }) =>
      kinds.map((kind) => [`${name}: ${kind.name}`, kind.fate] as const),
    ),
  );
  expect(linesIn('Pages that move, or stay')).toEqual(tested);
});

test('each row names an entry of the contract', () => {
  const rows = DOCUMENT.split('\n## ').slice(1, 4).join('\n').split('\n');
  for (const row of rows.filter((line) => /^\| (?!.*\bentry \|$)/.test(line))) {
    const id = /C-[\d.]+-\d+(?= \|$)/.exec(row)?.[0];
    expect(ENTRIES, row).toContain(`\n### ${id}\n`);
  }
});
