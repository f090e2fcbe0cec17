/**
 * What the simulator knows of kernels is written down in the contract, and is what the contract's
 * own tests hold kernels to.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { newestKernelLine } from '../../lib/core/kernels.ts';
import { KERNEL_PROFILES, type KernelProfile } from '../../lib/simulator/nodes/kernel-profile.ts';
import { type Entry, readDocument } from '../../scripts/contract/document.mjs';
import { kernelFacts } from '../contract/kernel-facts.ts';

const SOURCE = new URL('../../lib/simulator/nodes/kernel-profile.ts', import.meta.url);
const MEMBER = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+readonly (\w+):/g;
/** They name the kernel. */
const NAMES: readonly string[] = ['line', 'release'];

/** The entries that each member's comment names. */
function namedEntries(): Map<string, string[]> {
  const members = readFileSync(SOURCE, 'utf8').matchAll(MEMBER);
  return new Map(
    [...members].map(([, comment = '', name = '']) => [name, comment.match(/C-[\d.]+-\d+/g) ?? []]),
  );
}

/** A kernel counts errors up, a status down. */
function asStatus(name: string, value: KernelProfile[keyof KernelProfile]): unknown {
  return name.endsWith('Status') && typeof value === 'number' ? -value : value;
}

describe('profiles of kernels', () => {
  const members = Object.keys(KERNEL_PROFILES[newestKernelLine]).filter(
    (name) => !NAMES.includes(name),
  );
  const entries = new Map<string, Entry>(readDocument().entries.map((entry) => [entry.id, entry]));
  const named = namedEntries();

  test.each(members)('%s is an entry of the contract', (name) => {
    const ids = named.get(name) ?? [];
    expect(ids.length).toBeGreaterThan(0);
    // What happens inside a call no test sees: the entry says so.
    for (const id of ids) expect(['shown', 'not testable'], id).toContain(entries.get(id)?.status);
  });

  test.each(Object.values(KERNEL_PROFILES))(
    '$line agrees with the facts of the suite',
    (profile) => {
      const facts: Record<string, unknown> = kernelFacts(profile.release);
      const shared = members.filter((name) => name in facts) as (keyof KernelProfile)[];
      expect(shared.length).toBeGreaterThan(members.length / 2);
      for (const name of shared) expect(asStatus(name, profile[name]), name).toEqual(facts[name]);
    },
  );
});
