/** Node masks are sets: the laws of sets, compared with JavaScript's own. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NodeMask } from '../../lib/core/node-mask.ts';
import { NODE_ID_MAX } from '../../lib/core/uapi.ts';
import { thrownBy } from './thrown.ts';

const nodes = fc.array(fc.integer({ min: 0, max: NODE_ID_MAX }), { maxLength: 60 });
/** Few numbers, so that two sets often meet. */
const fewNodes = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 8 });
const mask = fc.oneof(nodes, fewNodes).map((list) => NodeMask.from(list));

function ascending(list: Iterable<number>): number[] {
  return [...new Set(list)].sort((a, b) => a - b);
}

describe('a set of nodes', () => {
  test('holds the given numbers once each, ascending', () => {
    fc.assert(
      fc.property(nodes, (list) => {
        const made = NodeMask.from(list);
        const expected = ascending(list);
        expect(made.toArray()).toEqual(expected);
        expect([...made]).toEqual(expected);
        expect(NodeMask.of(...list).equals(made)).toBe(true);
        expect(made.size).toBe(expected.length);
        expect(made.isEmpty).toBe(expected.length === 0);
        expect(made.first).toBe(expected[0]);
        for (const node of [0, 1, 63, 64, NODE_ID_MAX, ...list]) {
          expect(made.has(node)).toBe(expected.includes(node));
        }
      }),
    );
  });

  test('agrees with the operations on sets of numbers', () => {
    fc.assert(
      fc.property(fewNodes, nodes, (left, right) => {
        const [a, b] = [NodeMask.from(left), NodeMask.from(right)];
        const [inA, inB] = [new Set(left), new Set(right)];
        const isIn = (node: number) => [inA.has(node), inB.has(node)] as const;
        const where = (keep: (a: boolean, b: boolean) => boolean) =>
          ascending([...left, ...right]).filter((node) => keep(...isIn(node)));
        expect(a.union(b).toArray()).toEqual(where((x, y) => x || y));
        expect(a.intersection(b).toArray()).toEqual(where((x, y) => x && y));
        expect(a.difference(b).toArray()).toEqual(where((x, y) => x && !y));
        expect(a.symmetricDifference(b).toArray()).toEqual(where((x, y) => x !== y));
        expect(a.isSubsetOf(b)).toBe(left.every((node) => inB.has(node)));
      }),
    );
  });

  test('obeys the laws of set algebra', () => {
    fc.assert(
      fc.property(mask, mask, mask, (a, b, c) => {
        const same = (left: NodeMask, right: NodeMask) => expect(`${left}`).toBe(`${right}`);
        same(a.union(b), b.union(a));
        same(a.intersection(b), b.intersection(a));
        same(a.union(b.union(c)), a.union(b).union(c));
        same(a.intersection(b.union(c)), a.intersection(b).union(a.intersection(c)));
        same(a.difference(b.union(c)), a.difference(b).intersection(a.difference(c)));
        same(a.union(a.intersection(b)), a);
        same(a.difference(a), NodeMask.empty);
        same(a.symmetricDifference(b), a.difference(b).union(b.difference(a)));
        expect(a.isSubsetOf(a.union(b))).toBe(true);
        expect(a.equals(b)).toBe(a.isSubsetOf(b) && b.isSubsetOf(a));
      }),
    );
  });

  test('never changes', () => {
    const before = NodeMask.of(1, 2);
    before.union(NodeMask.of(9));
    before.toArray().push(7);
    expect(before.toArray()).toEqual([1, 2]);
    expect(NodeMask.from(before)).toBe(before);
  });
});

describe('the text of a set', () => {
  test('is read back as the same set, from text and from JSON', () => {
    fc.assert(
      fc.property(nodes, (list) => {
        const made = NodeMask.from(list);
        expect(NodeMask.parse(made.toString()).toArray()).toEqual(made.toArray());
        const json = JSON.parse(JSON.stringify({ made })) as { made: string };
        expect(NodeMask.parse(json.made).equals(made)).toBe(true);
      }),
    );
  });

  test.each([
    [[], ''],
    [[0], '0'],
    [[0, 1], '0-1'],
    [[5, 2, 1, 0, 1], '0-2,5'],
    [[0, 2, 4], '0,2,4'],
    [[62, 63, 64, 65, NODE_ID_MAX], '62-65,1023'],
  ])('of %j is %j', (list, text) => {
    expect(`${NodeMask.from(list)}`).toBe(text);
    expect(NodeMask.parse(text).toArray()).toEqual(ascending(list));
  });

  test('may be written in any order, twice, with leading zeros and blanks around it', () => {
    expect(`${NodeMask.parse(' 3,0-1,007,1-2\n')}`).toBe('0-3,7');
  });
});

describe('text that refers to a machine', () => {
  const allowed = NodeMask.of(0, 2, 5, 9);
  const online = NodeMask.of(0, 2, 4, 5, 9);
  test.each([
    ['all', '0,2,5,9'],
    ['!all', ''],
    ['!0', '2,5,9'],
    ['!2,9', '0,5'],
    ['!0,2,5,9', ''],
    ['+0', '0'],
    ['+1', '2'],
    ['+0-1,3', '0,2,9'],
    ['!+0', '2,5,9'],
    ['!+1-3', '0'],
    ['4-5', '4-5'],
    ['!4', '0,2,5,9'],
  ])('%s means %j where nodes 0,2,5,9 are allowed and 4 is online too', (text, expected) => {
    expect(`${NodeMask.parse(text, { allowed, online })}`).toBe(expected);
  });

  test('counts within the online nodes where no allowed ones are given', () => {
    expect(`${NodeMask.parse('all', { online })}`).toBe(`${online}`);
    expect(`${NodeMask.parse('+2', { online })}`).toBe('4');
  });

  test('partitions the allowed nodes, whatever they are', () => {
    fc.assert(
      fc.property(mask, mask, (allowedNodes, named) => {
        const inverted = NodeMask.parse(`!${named.isEmpty ? '0' : named}`, {
          allowed: allowedNodes,
        });
        const kept = named.isEmpty ? NodeMask.of(0) : named;
        expect(`${inverted}`).toBe(`${allowedNodes.difference(kept)}`);
        allowedNodes.toArray().forEach((node, ordinal) => {
          expect(NodeMask.parse(`+${ordinal}`, { allowed: allowedNodes }).first).toBe(node);
        });
      }),
    );
  });

  test.each(['all', '!0', '+0', '!+0'])('is refused without a machine: %s', (text) => {
    const { name, code, message } = thrownBy(() => NodeMask.parse(text));
    expect([name, code]).toEqual(['TypeError', 'ERR_INVALID_ARG_VALUE']);
    expect(message).toContain('{ allowed }');
  });

  test.each([
    ['+4', /the 4 allowed nodes \(0,2,5,9\)/],
    ['!+0-4', /the 4 allowed nodes/],
    ['1', /node 1 is not online \(online: 0,2,4-5,9\)/],
    ['0-5', /node 1,3 is not online/],
    ['!7', /node 7 is not online/],
  ])('is out of range when it names what the machine has not: %s', (text, rule) => {
    const { name, code, message } = thrownBy(() => NodeMask.parse(text, { allowed, online }));
    expect([name, code]).toEqual(['RangeError', 'ERR_OUT_OF_RANGE']);
    expect(message).toMatch(rule);
  });
});
