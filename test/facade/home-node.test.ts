/** Home nodes of policies: which verbs take them, and where pages then are. */

import { afterAll, describe, expect, test } from 'vitest';
import { bind, type MemoryPolicy, preferredMany, type Residency } from '../../lib/index.ts';
import { thrownBy } from '../core/thrown.ts';
import { firstNode, needNodes, numa, UNKNOWN_NODE } from './machine.ts';
import { PAGE } from './placed-buffer.ts';

const threadPolicy = `${numa.thread.policy()}`;
afterAll(() => expect(`${numa.thread.policy()}`).toBe(threadPolicy));

const MAKERS = [
  ['bind', bind],
  ['preferredMany', preferredMany],
] as const;

/** Pages by node, once touched under a policy. */
function touched(policy: MemoryPolicy): Residency['byNode'] {
  using buffer = numa.allocate(6 * PAGE, { policy });
  buffer.touch();
  return buffer.residencySync().byNode;
}

describe('a home node', () => {
  test.each(MAKERS)('of %s is set with the policy, and not read back', (_, make) => {
    const policy = make([firstNode], { homeNode: firstNode });
    using buffer = numa.allocate(PAGE, { policy });
    expect(buffer.policy().homeNode).toBeUndefined();
    expect(`${buffer.policy()}`).toBe(`${make([firstNode])}`);
  });

  test.for(MAKERS)('of %s decides from where pages are looked for', ([, make], context) => {
    const nodes = needNodes(context, 2);
    for (const homeNode of nodes) {
      expect(touched(make(nodes, { homeNode }))).toEqual({ [homeNode]: 6 });
    }
    const last = nodes[1] as number;
    const ordinal = numa.allowedNodes().toArray().indexOf(last);
    expect(touched(make('all', { homeNode: `+${ordinal}` }))).toEqual({ [last]: 6 });
  });

  test('that is not online is refused before anything is set', () => {
    using buffer = numa.allocate(PAGE);
    const policy = bind(firstNode, { homeNode: UNKNOWN_NODE });
    const { code, message } = thrownBy(() => buffer.setPolicy(policy));
    expect(code).toBe('ERR_OUT_OF_RANGE');
    expect(message).toContain('"homeNode"');
    expect(`${buffer.policy()}`).toBe('default');
  });

  test('is nothing that a thread can have', () => {
    const policy = bind(firstNode, { homeNode: firstNode });
    for (const call of [
      () => numa.thread.setPolicy(policy),
      () => numa.thread.withPolicy(policy, () => 1),
    ]) {
      const { code, message } = thrownBy(call);
      expect(code).toBe('ERR_INVALID_ARG_VALUE');
      expect(message).toContain('cannot have a home node');
    }
  });
});
