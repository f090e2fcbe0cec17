/** Every verb of a buffer in every state that a buffer can be in: it works, or says why not. */

import { ReadableStream } from 'node:stream/web';
import { markAsUntransferable } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { bind, interleave, local, type MappedBuffer } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { firstNode, memoryNodes, numa } from './machine.ts';
import { allocateOn, PAGE } from './placed-buffer.ts';

const PAGE_COUNT = 512;
/** Node 20 leaves memory that is not its own out of a transfer list. */
const COPIES = process.versions.node.startsWith('20.');
const otherNode = memoryNodes[1] ?? firstNode;

type StateName = 'fresh' | 'touched' | 'policy set' | 'migrating' | 'taken' | 'released';

/** What streams do with what they are given, and whoever calls transfer() past its refusal. */
function takeAlong(bytes: Uint8Array): ReadableStream {
  return new ReadableStream({ type: 'bytes', start: (stream) => stream.enqueue(bytes) });
}

interface State {
  readonly enter: () => MappedBuffer;
  /** Pages with memory. */
  readonly present: number;
}

const STATES: Readonly<Record<StateName, State>> = {
  fresh: { enter: () => numa.allocate(PAGE_COUNT * PAGE), present: 0 },
  touched: { enter: () => allocateOn(firstNode, PAGE_COUNT), present: PAGE_COUNT },
  'policy set': {
    enter: () => numa.allocate(PAGE_COUNT * PAGE, { policy: interleave('all') }),
    present: 0,
  },
  migrating: { enter: () => allocateOn(firstNode, PAGE_COUNT), present: PAGE_COUNT },
  taken: {
    enter: () => {
      const buffer = allocateOn(firstNode, PAGE_COUNT);
      takeAlong(buffer.bytes);
      return buffer;
    },
    present: PAGE_COUNT,
  },
  released: {
    enter: () => {
      const buffer = allocateOn(firstNode, PAGE_COUNT);
      buffer.release();
      return buffer;
    },
    present: 0,
  },
};

interface Verb {
  readonly run: (buffer: MappedBuffer) => unknown;
  /** What a live buffer answers. */
  readonly check: (answer: unknown, state: State, name: StateName) => void;
  /** What a released one answers; absent: it works as ever. */
  readonly released?: 'NUMA_RELEASED';
}

const RELEASED = 'NUMA_RELEASED';
const VERBS: Readonly<Record<string, Verb>> = {
  address: {
    run: (buffer) => buffer.address % BigInt(PAGE),
    check: (answer) => expect(answer).toBe(0n),
  },
  lengthBytes: {
    run: (buffer) => [buffer.lengthBytes, buffer.pageCount],
    check: (answer) => expect(answer).toEqual([PAGE_COUNT * PAGE, PAGE_COUNT]),
  },
  isReleased: {
    run: (buffer) => buffer.isReleased,
    check: (answer, _, name) => expect(answer).toBe(name === 'released'),
  },
  handle: {
    run: (buffer) => structuredClone(buffer.handle),
    check: (answer) =>
      expect(answer).toEqual({ id: expect.any(Number), generation: expect.any(Number) }),
  },
  bytes: {
    run: (buffer) => buffer.bytes.byteLength,
    check: (answer, _, name) => expect(answer).toBe(name === 'taken' ? 0 : PAGE_COUNT * PAGE),
    released: RELEASED,
  },
  residency: {
    run: (buffer) => buffer.residency(),
    check: (answer, { present }) => expect(answer).toMatchObject({ pages: { present } }),
    released: RELEASED,
  },
  residencySync: {
    run: (buffer) => buffer.residencySync(),
    check: (answer, { present }) => expect(answer).toMatchObject({ pages: { present } }),
    released: RELEASED,
  },
  policy: {
    run: (buffer) => buffer.policy().mode,
    check: (answer, _, name) =>
      expect(answer).toBe(name === 'policy set' ? 'interleave' : 'default'),
    released: RELEASED,
  },
  setPolicy: {
    run: (buffer) => {
      buffer.setPolicy(bind(firstNode));
      return `${buffer.policy()}`;
    },
    check: (answer) => expect(answer).toBe(`bind:${firstNode}`),
    released: RELEASED,
  },
  'setPolicy with move': {
    run: (buffer) => {
      buffer.setPolicy(bind(otherNode), { move: 'own' });
      return buffer.residencySync().pages.total;
    },
    check: (answer) => expect(answer).toBe(PAGE_COUNT),
    released: RELEASED,
  },
  exemptFromBalancing: {
    run: (buffer) => [buffer.exemptFromBalancing(), buffer.policy().mode],
    check: (answer, _, name) => {
      const hadPolicy = name === 'policy set';
      const pages = {
        total: PAGE_COUNT,
        exempted: hadPolicy ? 0 : PAGE_COUNT,
        alreadyExempt: hadPolicy ? PAGE_COUNT : 0,
        stillBalanced: 0,
      };
      expect(answer).toEqual([{ pages, complete: true }, hadPolicy ? 'interleave' : 'local']);
    },
    released: RELEASED,
  },
  touch: {
    run: (buffer) => {
      buffer.touch();
      return buffer.residencySync().pages.present;
    },
    check: (answer) => expect(answer).toBe(PAGE_COUNT),
    released: RELEASED,
  },
  descriptor: {
    run: (buffer) => buffer.descriptor,
    check: (answer) => expect(answer).toBeNull(),
  },
  hugePages: {
    run: (buffer) => buffer.hugePages(),
    check: (answer) => expect(answer).toMatchObject({ isOfPool: false, pageSizeBytes: PAGE }),
    released: RELEASED,
  },
  flush: {
    run: (buffer) => buffer.flush(),
    check: (answer) => expect(answer).toBeUndefined(),
    released: RELEASED,
  },
  isTruncated: {
    run: (buffer) => buffer.isTruncated(),
    check: (answer) => expect(answer).toBe(false),
    released: RELEASED,
  },
  populate: {
    run: async (buffer) => {
      await buffer.populate();
      return buffer.residencySync().pages.present;
    },
    check: (answer) => expect(answer).toBe(PAGE_COUNT),
    released: RELEASED,
  },
  migrate: {
    run: (buffer) => buffer.migrate({ to: firstNode }),
    check: (answer) => expect(answer).toMatchObject({ pages: { total: PAGE_COUNT } }),
    released: RELEASED,
  },
  pageStatuses: {
    run: (buffer) => buffer.pageStatuses(),
    check: (answer, { present }) => {
      const statuses = answer as readonly unknown[];
      expect(statuses).toHaveLength(PAGE_COUNT);
      expect(statuses.filter((status) => typeof status === 'number')).toHaveLength(present);
    },
    released: RELEASED,
  },
  place: {
    run: (buffer) => buffer.place(new Int32Array(PAGE_COUNT).fill(firstNode)),
    check: (answer) => expect(answer).toMatchObject({ pages: { total: PAGE_COUNT } }),
    released: RELEASED,
  },
  distribute: {
    run: (buffer) => buffer.distribute({ partsBytes: { [firstNode]: PAGE_COUNT * PAGE } }),
    check: (answer) =>
      expect(answer).toMatchObject({ placement: { pages: { total: PAGE_COUNT } } }),
    released: RELEASED,
  },
  release: {
    run: (buffer) => {
      buffer.release();
      buffer[Symbol.dispose]();
      return buffer.isReleased;
    },
    check: (answer) => expect(answer).toBe(true),
  },
  attach: {
    run: (buffer) => {
      using second = numa.attach(buffer.handle);
      return second.address === buffer.address;
    },
    check: (answer) => expect(answer).toBe(true),
    released: RELEASED,
  },
};

const TABLE = Object.keys(VERBS).flatMap((verb) =>
  (Object.keys(STATES) as StateName[]).map((state) => ({ verb, state })),
);

describe('a buffer', () => {
  test.each(TABLE)('$state: $verb', async ({ verb, state }) => {
    const { enter } = STATES[state];
    const { run, check, released } = VERBS[verb] as Verb;
    const buffer = enter();
    const move = state === 'migrating' ? buffer.migrate({ to: otherNode }) : undefined;
    try {
      if (state === 'released' && released !== undefined) {
        const { code, error } = await failureOf(() => run(buffer));
        expect(code).toBe(released);
        expect(error.hint).toBeTruthy();
      } else {
        check(await run(buffer), STATES[state], state);
      }
    } finally {
      const report = await move;
      if (report !== undefined) expect(report.pages.total).toBe(PAGE_COUNT);
      buffer.release();
    }
  });

  test('that was released keeps its views detached', () => {
    const buffer = numa.allocate(PAGE, { policy: local() });
    const { bytes } = buffer;
    const words = new Int32Array(bytes.buffer);
    buffer.release();
    expect([bytes.byteLength, words.length, words[0]]).toEqual([0, 0, undefined]);
  });

  test('has bytes that a transfer list takes along, or copies on Node 20', () => {
    const buffer = numa.allocate(PAGE);
    const { bytes } = buffer;
    const clone = structuredClone(bytes.fill(7), { transfer: [bytes.buffer] });
    expect([bytes.length, buffer.bytes.length]).toEqual(COPIES ? [PAGE, PAGE] : [0, 0]);
    buffer.release();
    expect([bytes.length, clone.length]).toEqual([0, PAGE]);
    expect(clone.every((byte) => byte === 7)).toBe(true);
  });

  test('is released also where its user made its bytes untransferable', () => {
    const buffer = numa.allocate(PAGE);
    markAsUntransferable(buffer.bytes.buffer);
    buffer.release();
    expect(buffer.isReleased).toBe(true);
  });

  test('whose bytes were taken along leaves them to who has them', async () => {
    const buffer = numa.allocate(2 * PAGE);
    const second = numa.attach(buffer.handle);
    const stream = takeAlong(buffer.bytes.fill(7));
    expect(buffer.bytes.length).toBe(0);
    buffer.release();
    second.release();
    using next = numa.allocate(2 * PAGE);
    next.bytes.fill(1);
    const { value: taken } = await stream.getReader().read();
    expect((taken as Uint8Array).every((byte) => byte === 7)).toBe(true);
  });

  test('is released at the end of its block, also when the block throws', () => {
    let kept: MappedBuffer | undefined;
    expect(() => {
      using buffer = numa.allocate(PAGE);
      kept = buffer;
      throw new Error('on the way');
    }).toThrow('on the way');
    expect(kept?.isReleased).toBe(true);
  });

  test('has the length that was asked for, and whole pages beneath', () => {
    using buffer = numa.allocate(PAGE + 1);
    buffer.touch();
    expect([buffer.lengthBytes, buffer.pageCount, buffer.bytes.byteLength]).toEqual([
      PAGE + 1,
      2,
      PAGE + 1,
    ]);
    expect(buffer.residencySync().pages.present).toBe(2);
    expect(buffer.bytes).toBe(buffer.bytes);
  });
});
