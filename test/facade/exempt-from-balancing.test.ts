/** exemptFromBalancing(): what it changes, and that the kernel's balancer then stays away. */

import { describe, expect, type TestContext, test } from 'vitest';
import { bind, defaultPolicy, interleave, local, type MappedBuffer } from '../../lib/index.ts';
import { scaledTimeoutMs } from '../support/environment.ts';
import { firstNode, needExpendable, numa } from './machine.ts';
import { allocateOn, PAGE } from './placed-buffer.ts';
import { balanceNow, hasBalancing } from './subject.ts';

const BALANCED_WITHIN_MS = 60_000;

describe('exemptFromBalancing()', () => {
  test('gives a range without a policy the local one', () => {
    using buffer = numa.allocate(8 * PAGE);
    const exemption = buffer.exemptFromBalancing();
    expect(exemption.pages).toEqual({ total: 8, exempted: 8, alreadyExempt: 0, stillBalanced: 0 });
    expect(exemption.complete).toBe(true);
    expect(`${buffer.policy()}`).toBe('local');
  });

  test('leaves pages where they are', () => {
    using buffer = allocateOn(firstNode, 8);
    buffer.exemptFromBalancing();
    expect(buffer.residencySync().byNode).toEqual({ [firstNode]: 8 });
  });

  test('keeps the policies of parts, and tells which of them are still balanced', () => {
    using buffer = numa.allocate(10 * PAGE);
    const part = (first: number, count: number) => {
      return { offsetBytes: first * PAGE, lengthBytes: count * PAGE };
    };
    buffer.setPolicy(interleave([firstNode]), part(2, 2));
    buffer.setPolicy(bind(firstNode, { flags: ['numa-balancing'] }), part(6, 1));
    const exemption = buffer.exemptFromBalancing();
    expect(exemption.pages).toEqual({ total: 10, exempted: 7, alreadyExempt: 2, stillBalanced: 1 });
    expect(exemption.complete).toBe(false);
    const modes = [0, 2, 4, 6, 7].map((page) => buffer.policy({ offsetBytes: page * PAGE }).mode);
    expect(modes).toEqual(['local', 'interleave', 'local', 'bind', 'local']);
  });

  test('of a part leaves the rest to the balancer, and can be said twice', () => {
    using buffer = numa.allocate(6 * PAGE);
    const range = { offsetBytes: 2 * PAGE, lengthBytes: PAGE + 1 };
    expect(buffer.exemptFromBalancing(range).pages).toMatchObject({ total: 2, exempted: 2 });
    expect(buffer.exemptFromBalancing(range).pages).toMatchObject({ total: 2, alreadyExempt: 2 });
    expect(buffer.exemptFromBalancing().pages).toMatchObject({ exempted: 4, alreadyExempt: 2 });
  });

  test('goes before the policy of the thread, until the range has none again', () => {
    using buffer = numa.allocate(PAGE);
    numa.thread.withPolicy(bind(firstNode), () => {
      buffer.exemptFromBalancing();
      expect(`${buffer.policy()}`).toBe(`${local()}`);
    });
    buffer.setPolicy(defaultPolicy());
    expect(`${buffer.policy()}`).toBe('default');
  });
});

/** A CPU of each of two nodes with memory, on a machine whose settings are ours. */
function needBalancer(context: TestContext): [near: NodeWithCpu, far: NodeWithCpu] {
  needExpendable(context);
  const nodes = numa.topology.nodes.flatMap(({ id, cpus, memoryBytes }) =>
    memoryBytes && cpus?.[0] !== undefined ? [{ node: id, cpu: cpus[0] }] : [],
  );
  if (nodes.length < 2) context.skip('needs two nodes with CPUs and memory');
  if (!hasBalancing) context.skip('needs a kernel with automatic balancing');
  return nodes as [NodeWithCpu, NodeWithCpu];
}

interface NodeWithCpu {
  readonly node: number;
  readonly cpu: number;
}

/** Touches all buffers from one CPU until the last of them is on its node, or time is up. */
async function touchUntilMoved(buffers: readonly MappedBuffer[], to: number): Promise<void> {
  const endMs = performance.now() + BALANCED_WITHIN_MS;
  const watched = buffers.at(-1) as MappedBuffer;
  while (performance.now() < endMs) {
    for (let round = 0; round < 500; round += 1) {
      for (const buffer of buffers) buffer.touch();
    }
    // Pages that the balancer has marked look absent on 6.1: only where they are is a proof.
    const { byNode, pages } = watched.residencySync();
    if (byNode[to] === pages.total) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('with automatic balancing on', () => {
  // When the scanner comes round is up to the load of the machine.
  const options = { retry: 2, timeout: scaledTimeoutMs(20_000) };

  test('an exempted buffer stays where another one follows its user', options, async (context) => {
    const [near, far] = needBalancer(context);
    const cpus = numa.thread.affinity();
    using exempted = allocateOn(near.node, 32);
    using balanced = allocateOn(near.node, 32);
    exempted.exemptFromBalancing();
    const restore = balanceNow();
    try {
      numa.thread.setAffinity([far.cpu]);
      await touchUntilMoved([exempted, balanced], far.node);
    } finally {
      restore();
      for (const buffer of [exempted, balanced]) buffer.touch();
      numa.thread.setAffinity(cpus);
    }
    expect(balanced.residencySync().byNode).toEqual({ [far.node]: 32 });
    expect(exempted.residencySync().byNode).toEqual({ [near.node]: 32 });
  });
});
