/** What kernels answer differently is written down in the contract, and told there alike. */

import { describe, expect, test } from 'vitest';
import { KERNEL_FACTS, type KernelFacts, kernelFacts } from '../../lib/core/kernel-facts.ts';
import { compareReleases, kernelLines } from '../../lib/core/kernels.ts';
import { type Entry, readDocument } from '../../scripts/contract/document.mjs';

const entries = new Map<string, Entry>(readDocument().entries.map((entry) => [entry.id, entry]));
const names = Object.keys(KERNEL_FACTS) as (keyof KernelFacts)[];

/** Lines that answer otherwise than the line before. */
function changesOf(name: keyof KernelFacts): string[] {
  return kernelLines.filter((line, index) => {
    const before = kernelLines[index - 1];
    return before !== undefined && kernelFacts(before)[name] !== kernelFacts(line)[name];
  });
}

describe('facts of kernels', () => {
  test.each(names)('%s', (name) => {
    const [ids, oldest, ...later] = KERNEL_FACTS[name];
    expect(ids.length).toBeGreaterThan(0);
    const found = ids.map((id) => entries.get(id));
    // What happens inside a call no test sees: the entry says so.
    for (const entry of found) expect(['shown', 'not testable']).toContain(entry?.status);
    const releases = later.map(([release]) => release);
    expect([...releases].sort(compareReleases)).toEqual(releases);
    const answers = [oldest, ...later.map(([, answer]) => answer)];
    for (const [index, answer] of later.entries()) expect(answer[1]).not.toBe(answers[index]);
    const told = found.map((entry) => entry?.kernels).join('; ');
    for (const line of changesOf(name)) expect(told).toContain(line);
  });
});

test('a stable release of a line has what came to it alone', () => {
  const answers = ['6.12.117', '6.12.118', '6.13', '7.2'].map(
    (release) => kernelFacts(release).secretPagesAreLocked,
  );
  expect(answers).toEqual([true, false, true, false]);
});

test('each line answers something else than the line before', () => {
  const changed = new Set(names.flatMap(changesOf));
  expect(kernelLines.filter((line) => changed.has(line))).toEqual(kernelLines.slice(1));
});
