/** Policies as values: what they are for the kernel, what they print, and what is none. */

import { describe, expect, test } from 'vitest';
import {
  bind,
  checkPolicy,
  defaultPolicy,
  interleave,
  local,
  MemoryPolicy,
  modeWord,
  type PolicyOptions,
  policyOfModeWord,
  preferred,
  preferredMany,
  weightedInterleave,
} from '../../lib/core/memory-policy.ts';
import { type NodeExpression, NodeMask } from '../../lib/core/node-mask.ts';
import { thrownBy } from './thrown.ts';

/** Source: include/uapi/linux/mempolicy.h; mm/mempolicy.c, mpol_to_str() for the texts. */
const TABLE: readonly (readonly [MemoryPolicy, number, string])[] = [
  [defaultPolicy(), 0x0000, 'default'],
  [preferred(1), 0x0001, 'prefer:1'],
  [bind('0-1'), 0x0002, 'bind:0-1'],
  [interleave([3, 1, 0]), 0x0003, 'interleave:0-1,3'],
  [local(), 0x0004, 'local'],
  [preferredMany('0,2'), 0x0005, 'prefer (many):0,2'],
  [weightedInterleave('0-3'), 0x0006, 'weighted interleave:0-3'],
  [bind(1, { flags: ['static-nodes'] }), 0x8002, 'bind=static:1'],
  [bind(1, { flags: ['relative-nodes'] }), 0x4002, 'bind=relative:1'],
  [bind(1, { flags: ['numa-balancing'] }), 0x2002, 'bind=balancing:1'],
  [bind(1, { flags: ['numa-balancing', 'static-nodes'] }), 0xa002, 'bind=static|balancing:1'],
  [interleave('0-1', { flags: ['static-nodes', 'static-nodes'] }), 0x8003, 'interleave=static:0-1'],
];

describe('a policy', () => {
  test.each(TABLE)('%s has the mode word %i and prints as numa_maps does', (policy, word, text) => {
    expect(modeWord(policy)).toBe(word);
    expect(`${policy}`).toBe(text);
  });

  test.each(TABLE)('%s is read back from its mode word', (policy, word, text) => {
    const nodes = NodeMask.from(policy.nodes as NodeMask);
    const readBack = policyOfModeWord(word, nodes);
    expect(`${readBack}`).toBe(text);
    expect(readBack).toEqual(policy);
  });

  test('with a mode or a flag of a newer kernel is unknown, not another one', () => {
    expect(policyOfModeWord(7, NodeMask.of(0))).toBeUndefined();
    expect(policyOfModeWord(0x1002, NodeMask.of(0))).toBeUndefined();
    expect(policyOfModeWord(-1, NodeMask.of(0))).toBeUndefined();
  });

  test('keeps its home node, which the mode word does not have', () => {
    const policy = bind('0-1', { flags: ['static-nodes'], homeNode: 1 });
    expect(policy.homeNode).toEqual(NodeMask.of(1));
    expect(`${policy}`).toBe('bind=static:0-1 from 1');
    expect(modeWord(policy)).toBe(modeWord(bind('0-1', { flags: ['static-nodes'] })));
    expect(`${preferredMany('all', { homeNode: '+1' })}`).toBe('prefer (many):all from +1');
    expect(bind(0).homeNode).toBeUndefined();
  });

  test.each([
    ['0-1', 'ERR_OUT_OF_RANGE'],
    [[], 'ERR_OUT_OF_RANGE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [1024, 'ERR_OUT_OF_RANGE'],
    ['x', 'ERR_INVALID_ARG_VALUE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
  ])('has no home node %j', (homeNode, code) => {
    const thrown = thrownBy(() => bind(0, { homeNode: homeNode as NodeExpression }));
    expect(thrown.code).toBe(code);
    expect(thrown.message).toContain('"options.homeNode"');
  });

  test.each([preferred, interleave, weightedInterleave])('of another mode has none', (make) => {
    const thrown = thrownBy(() => make(0, { homeNode: 0 } as PolicyOptions));
    expect(thrown.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(thrown.message).toContain('"options.homeNode"');
  });

  test('never changes', () => {
    const flags: 'static-nodes'[] = ['static-nodes'];
    const policy = bind([0], { flags });
    flags.length = 0;
    expect(policy.flags).toEqual(['static-nodes']);
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.flags)).toBe(true);
  });

  test.each(['all', '!0', '+0-1', '!+1'])(
    'keeps %s as text, for the machine to resolve',
    (text) => {
      expect(bind(text).nodes).toBe(text);
      expect(`${bind(text)}`).toBe(`bind:${text}`);
    },
  );

  test('with plain nodes holds a mask, however they were written', () => {
    for (const nodes of [3, '3', [3], new Set([3]), NodeMask.of(3)] as NodeExpression[]) {
      expect(preferred(nodes).nodes).toBeInstanceOf(NodeMask);
      expect(`${preferred(nodes)}`).toBe('prefer:3');
    }
  });
});

const MAKERS = { bind, preferred, preferredMany, interleave, weightedInterleave };
type Maker = (nodes: NodeExpression, options?: PolicyOptions) => MemoryPolicy;

describe.each(Object.entries(MAKERS) as [string, Maker][])('%s()', (_, make) => {
  test.each([
    ['', 'ERR_INVALID_ARG_VALUE'],
    [[], 'ERR_INVALID_ARG_VALUE'],
    [NodeMask.empty, 'ERR_INVALID_ARG_VALUE'],
    ['x', 'ERR_INVALID_ARG_VALUE'],
    ['1024', 'ERR_INVALID_ARG_VALUE'],
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [true, 'ERR_INVALID_ARG_TYPE'],
    [1n, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [['0'], 'ERR_INVALID_ARG_TYPE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'ERR_OUT_OF_RANGE'],
    [0.5, 'ERR_OUT_OF_RANGE'],
    [1024, 'ERR_OUT_OF_RANGE'],
    [[0, -1], 'ERR_OUT_OF_RANGE'],
  ])('refuses the nodes %s', (nodes, code) => {
    const thrown = thrownBy(() => make(nodes as NodeExpression));
    expect(thrown.code).toBe(code);
    expect(thrown.message).toContain('"nodes"');
  });

  test.each([
    [null, 'ERR_INVALID_ARG_TYPE', '"options"'],
    ['static-nodes', 'ERR_INVALID_ARG_TYPE', '"options"'],
    [['static-nodes'], 'ERR_INVALID_ARG_TYPE', '"options"'],
    [{ flag: 'static-nodes' }, 'ERR_INVALID_ARG_VALUE', '"options.flag"'],
    [{ flags: 'static-nodes' }, 'ERR_INVALID_ARG_TYPE', '"options.flags"'],
    [{ flags: null }, 'ERR_INVALID_ARG_TYPE', '"options.flags"'],
    [{ flags: [1] }, 'ERR_INVALID_ARG_TYPE', '"options.flags"'],
    [{ flags: ['static'] }, 'ERR_INVALID_ARG_VALUE', '"options.flags"'],
    [{ flags: ['static-nodes', 'relative-nodes'] }, 'ERR_INVALID_ARG_VALUE', 'cannot have both'],
  ])('refuses the options %j', (options, code, named) => {
    const thrown = thrownBy(() => make(0, options as PolicyOptions));
    expect(thrown.code).toBe(code);
    expect(thrown.message).toContain(named);
  });
});

describe('what is no policy', () => {
  test('preferred with several nodes names the one that takes several', () => {
    const { code, message } = thrownBy(() => preferred('0-1'));
    expect(code).toBe('ERR_INVALID_ARG_VALUE');
    expect(message).toContain('preferredMany()');
  });

  test.each([[undefined], [null], ['bind'], [2], [{ mode: 'bind', nodes: '0' }], [bind], [[]]])(
    '%s is refused, and the error names the makers',
    (value) => {
      const { code, message } = thrownBy(() => checkPolicy(value, 'policy'));
      expect(code).toBe('ERR_INVALID_ARG_TYPE');
      expect(message).toContain('"policy"');
      expect(message).toContain('bind()');
    },
  );

  test('a policy is taken as it is', () => {
    const policy = interleave('all');
    expect(checkPolicy(policy, 'policy')).toBe(policy);
    expect(policy).toBeInstanceOf(MemoryPolicy);
  });
});
