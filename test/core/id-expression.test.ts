/** Whatever text comes in: a meaning, or one of the typed errors. Nothing else. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type IdContext,
  NODE_IDS,
  parseIdExpression,
  resolveIdExpression,
} from '../../lib/core/id-expression.ts';
import { NODE_ID_MAX } from '../../lib/core/uapi.ts';

const RUNS = 3000;

/** Text that looks like a node list, and often is none. */
const nearlyText = fc
  .array(fc.constantFrom('0', '1', '5', '63', '1023', '1024', '-', ',', '!', '+', 'all', ' '), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''));
const anyText = fc.oneof(nearlyText, fc.string(), fc.string({ unit: 'binary' }));

const ids = fc
  .uniqueArray(fc.integer({ min: 0, max: 70 }), { maxLength: 6 })
  .map((list) => list.sort((a, b) => a - b));
const context: fc.Arbitrary<IdContext> = fc.record(
  { allowed: ids, online: ids },
  { requiredKeys: [] },
);

const TYPED = new Set([
  'TypeError ERR_INVALID_ARG_VALUE',
  'RangeError ERR_OUT_OF_RANGE', // Only with a context.
]);

function kindOf(error: unknown): string {
  const { name, code } = error as Error & { code?: string };
  return `${name} ${code}`;
}

describe('any text', () => {
  test('parses, or is refused as a wrong value', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        try {
          const parsed = parseIdExpression(text, NODE_IDS);
          expect(parsed.text).toBe(text);
          expect(parsed.ids.every((id) => id >= 0 && id <= NODE_ID_MAX)).toBe(true);
        } catch (error) {
          expect(kindOf(error)).toBe('TypeError ERR_INVALID_ARG_VALUE');
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('stands for ascending distinct nodes, or is one of the two typed errors', () => {
    fc.assert(
      fc.property(anyText, context, (text, machine) => {
        try {
          const nodes = resolveIdExpression(parseIdExpression(text, NODE_IDS), machine);
          expect(nodes).toEqual([...new Set(nodes)].sort((a, b) => a - b));
        } catch (error) {
          expect(TYPED).toContain(kindOf(error));
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('that names only online nodes never means another node', () => {
    fc.assert(
      fc.property(nearlyText, ids, (text, online) => {
        try {
          const nodes = resolveIdExpression(parseIdExpression(text, NODE_IDS), {
            online,
            allowed: online,
          });
          expect(online).toEqual(expect.arrayContaining(nodes));
        } catch (error) {
          expect(TYPED).toContain(kindOf(error));
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe('a well-formed expression', () => {
  const list = ids.filter((found) => found.length > 0);

  test('is read as it was written', () => {
    fc.assert(
      fc.property(list, fc.boolean(), fc.boolean(), (named, isInverted, isRelative) => {
        const text = `${isInverted ? '!' : ''}${isRelative ? '+' : ''}${named.join(',')}`;
        const parsed = parseIdExpression(text, NODE_IDS);
        expect(parsed).toMatchObject({ text, isAll: false, isInverted, isRelative, ids: named });
      }),
    );
  });

  test('inverted twice over is itself', () => {
    fc.assert(
      fc.property(list, list, (named, allowed) => {
        const without = resolveIdExpression(parseIdExpression(`!${named.join(',')}`, NODE_IDS), {
          allowed,
        });
        const kept = allowed.filter((node) => named.includes(node));
        expect([...without, ...kept].sort((a, b) => a - b)).toEqual(allowed);
      }),
    );
  });
});
