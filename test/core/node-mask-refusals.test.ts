/** What is no node mask: every wrong value is a typed error that says what is wrong. */

import { describe, expect, test } from 'vitest';
import { NodeMask } from '../../lib/core/node-mask.ts';
import { thrownBy } from './thrown.ts';

const MALFORMED = [
  ...['-', '-1', '1-', '0-', '0--2', '0-2-3', '3-1', '10-9'],
  ...[',', '0,', ',0', '0,,1', '0-2;5', '0:2', '0 1', '0 - 2', '0, 1', '0,\n1'],
  ...['a', 'one', 'ALL', 'All', 'all,1', '0,all', 'allx', 'nodes', 'null', 'NaN', 'undefined'],
  ...['1.5', '1e3', '0x1', '0b1', '1n', '1_000', '٣', '９', '½', '\u0000', '0\u0000', '🙂'],
  ...['!', '+', '!+', '!!0', '++1', '+!0', '! 0', '+ 0', '0!', '0+', '!+all', '+all', '!,'],
  ...['1024', '0-1024', '9999999999', '99999999999999999999', '0000000001', '1023-1024'],
];

describe('text that is no node list', () => {
  test.each(MALFORMED)('%j is refused, and the error shows it', (text) => {
    const context = { allowed: NodeMask.of(0, 1), online: NodeMask.of(0, 1) };
    for (const given of [{}, context]) {
      const { name, code, message } = thrownBy(() => NodeMask.parse(text, given));
      expect([name, code]).toEqual(['TypeError', 'ERR_INVALID_ARG_VALUE']);
      expect(message).toContain('"nodes"');
      expect(message).toContain(`received ${JSON.stringify(text)}`);
    }
  });

  test('makes a short error however long it is', () => {
    const { message } = thrownBy(() => NodeMask.parse('9'.repeat(100_000)));
    expect(message.length).toBeLessThan(250);
  });

  test('names the part that is wrong', () => {
    expect(thrownBy(() => NodeMask.parse('0-2,x,5')).message).toContain('"x" is no number');
    expect(thrownBy(() => NodeMask.parse('0,5-3')).message).toContain('5-3, which runs backwards');
    expect(thrownBy(() => NodeMask.parse('0,1024')).message).toContain('the largest is 1023');
  });
});

const WRONG_TYPES: readonly unknown[] = [undefined, null, 1, true, 1n, {}, [], Symbol('s')];

describe('values that are no node mask', () => {
  test.each(WRONG_TYPES.map((value) => [value]))('%s is no text', (value) => {
    expect(thrownBy(() => NodeMask.parse(value as string)).code).toBe('ERR_INVALID_ARG_TYPE');
  });

  test.each([[undefined], [null], [1], ['0-1'], [true], [{}], [() => [0]]])(
    '%s is no iterable of numbers',
    (value) => {
      const { name, code, message } = thrownBy(() => NodeMask.from(value as never, 'options.to'));
      expect([name, code]).toEqual(['TypeError', 'ERR_INVALID_ARG_TYPE']);
      expect(message).toContain('"options.to"');
    },
  );

  test.each([[['0']], [[null]], [[undefined]], [[0n]], [[[0]]], [[{}]]])(
    '%s holds what is no number',
    (list) => {
      expect(thrownBy(() => NodeMask.from(list as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    },
  );

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1024, 2 ** 53, -(2 ** 31)])(
    '%d is no node number',
    (node) => {
      const { name, code, message } = thrownBy(() => NodeMask.of(0, node));
      expect([name, code]).toEqual(['RangeError', 'ERR_OUT_OF_RANGE']);
      expect(message).toContain('from 0 to 1023');
    },
  );

  test.each(WRONG_TYPES.map((value) => [value]))('%s is no other set', (value) => {
    const set = NodeMask.of(1);
    const other = value as NodeMask;
    const calls = [
      () => set.union(other),
      () => set.intersection(other),
      () => set.difference(other),
      () => set.symmetricDifference(other),
      () => set.isSubsetOf(other),
      () => set.equals(other),
    ];
    for (const call of calls) expect(thrownBy(call).code).toBe('ERR_INVALID_ARG_TYPE');
  });

  test.each([[null], ['0'], [[NodeMask.of(0)]], [7]])('%s is no context', (context) => {
    const { code } = thrownBy(() => NodeMask.parse('0', context as never));
    expect(code).toBe('ERR_INVALID_ARG_TYPE');
  });

  test('a context with something else than masks, or with more, is refused', () => {
    const parse = (context: unknown) => thrownBy(() => NodeMask.parse('0', context as never)).code;
    expect(parse({ allowed: [0] })).toBe('ERR_INVALID_ARG_TYPE');
    expect(parse({ online: '0-1' })).toBe('ERR_INVALID_ARG_TYPE');
    expect(parse({ offline: NodeMask.empty })).toBe('ERR_INVALID_ARG_VALUE');
  });

  test('what is no number is not asked for in vain', () => {
    expect(thrownBy(() => NodeMask.of(0).has('0' as never)).code).toBe('ERR_INVALID_ARG_TYPE');
    expect(NodeMask.of(0).has(-1)).toBe(false);
    expect(NodeMask.of(0).has(Number.NaN)).toBe(false);
  });
});
