/** Policies from text: what a policy prints is read as the same policy. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bind,
  interleave,
  local,
  type MemoryPolicy,
  type PolicyFlag,
  preferred,
  preferredMany,
  weightedInterleave,
} from '../../lib/core/memory-policy.ts';
import { parsePolicy } from '../../lib/core/policy-text.ts';

const nodes = fc.uniqueArray(fc.nat(63), { minLength: 1, maxLength: 8 });
const flags = fc.constantFrom<readonly PolicyFlag[]>(
  [],
  ['static-nodes'],
  ['relative-nodes'],
  ['static-nodes', 'numa-balancing'],
);
const policies: fc.Arbitrary<MemoryPolicy> = fc.oneof(
  fc.constant(local()),
  fc.tuple(nodes, flags, fc.nat(63)).map(([list, given, homeNode]) => {
    return bind(list, { flags: given, homeNode });
  }),
  fc.tuple(fc.nat(63), flags).map(([node, given]) => preferred(node, { flags: given })),
  fc
    .tuple(fc.constantFrom(bind, interleave, preferredMany, weightedInterleave), nodes, flags)
    .map(([make, list, given]) => make(list, { flags: given })),
);

describe('a policy from text', () => {
  test('is the one that printed it', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const read = parsePolicy(`${policy}`, 'policy');
        expect(`${read}`).toBe(`${policy}`);
        expect([read.mode, read.flags]).toEqual([policy.mode, policy.flags]);
      }),
    );
  });

  test('may have the names of this library, and an expression', () => {
    expect(parsePolicy('preferred:1', 'policy').mode).toBe('preferred');
    expect(parsePolicy('preferred-many:0-1', 'policy').mode).toBe('preferred-many');
    expect(parsePolicy('weighted-interleave:all', 'policy').nodes).toBe('all');
    expect(parsePolicy('default', 'policy').mode).toBe('default');
  });

  test.each([
    ['', /as numa_maps has it/],
    ['bound:1', /as numa_maps has it/],
    ['constructor:1', /as numa_maps has it/],
    ['bind', /must name nodes/],
    ['bind:', /as numa_maps has it/],
    ['bind:x', /nodes/],
    ['local:1', /has no nodes and flags for local/],
    ['default=static', /has no nodes and flags for default/],
    ['bind=sticky:1', /static, relative and balancing/],
    ['bind=toString:1', /as numa_maps has it|static, relative/],
    ['prefer:0-1', /one node/],
    ['bind=static|relative:1', /cannot have both/],
    ['interleave:0 from 1', /homeNode/],
  ])('is refused: %j', (text, message) => {
    expect(() => parsePolicy(text, 'policy')).toThrow(message);
  });

  test('is refused without a crash, whatever the text is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parsePolicy(text, 'policy');
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^ERR_/);
        }
      }),
    );
  });
});
