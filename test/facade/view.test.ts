/** Memory of the engine's own: what can be viewed, where it is, moving it, and how a view ends. */

import { describe, expect, test } from 'vitest';
import { bind, interleave, type MemoryView, type ViewableMemory } from '../../lib/index.ts';
import { failureOf } from '../core/thrown.ts';
import { firstNode, memoryNodes, needNodes, numa, usesHugePages } from './machine.ts';
import { expectAccounted, PAGE, pagesIn } from './placed-buffer.ts';

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: {
  Memory: new (shape: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory;
};

const otherNode = memoryNodes[1] ?? firstNode;
const BYTES = 1 << 18;
const WASM_PAGE = 1 << 16;
/** More than one step of a move. */
const MIB = 1 << 20;
/** Of TypeScript's libraries only later ones know these. */
const resizable = (bytes: number, bytesMax: number) =>
  new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(bytes, {
    maxByteLength: bytesMax,
  });
const growable = (bytes: number, bytesMax: number) =>
  new SharedArrayBuffer(bytes, { maxByteLength: bytesMax });

/** Each with the bytes that it stands for. */
const KINDS: Readonly<Record<string, () => [ViewableMemory, Uint8Array]>> = {
  ArrayBuffer: () => whole(new ArrayBuffer(BYTES)),
  SharedArrayBuffer: () => whole(new SharedArrayBuffer(BYTES)),
  'a resizable ArrayBuffer': () => whole(resizable(BYTES, 2 * BYTES)),
  'a growable SharedArrayBuffer': () => whole(growable(BYTES, 2 * BYTES)),
  'a WebAssembly.Memory': () => wasm(new WebAssembly.Memory({ initial: BYTES / WASM_PAGE })),
  'a shared WebAssembly.Memory': () =>
    wasm(new WebAssembly.Memory({ initial: BYTES / WASM_PAGE, maximum: 64, shared: true })),
  Buffer: () => same(Buffer.alloc(BYTES)),
  'a part of a Uint8Array': () => same(new Uint8Array(2 * BYTES).subarray(12_345, BYTES)),
  Float64Array: () => {
    const words = new Float64Array(new ArrayBuffer(BYTES), 8, BYTES / 16);
    return [words, new Uint8Array(words.buffer, words.byteOffset, words.byteLength)];
  },
  DataView: () => {
    const view = new DataView(new SharedArrayBuffer(BYTES), 100, BYTES - 200);
    return [view, new Uint8Array(view.buffer, view.byteOffset, view.byteLength)];
  },
};

const whole = (buffer: ArrayBufferLike): [ViewableMemory, Uint8Array] => [
  buffer,
  new Uint8Array(buffer),
];
const same = (bytes: Uint8Array): [ViewableMemory, Uint8Array] => [bytes, bytes];
const wasm = (memory: WasmMemory): [ViewableMemory, Uint8Array] => [
  memory,
  new Uint8Array(memory.buffer),
];

function expectWhole(view: MemoryView, lengthBytes: number): void {
  const { leadingBytes, trailingBytes } = view.edges;
  expect(view.address % BigInt(PAGE)).toBe(0n);
  expect(view.lengthBytes % PAGE).toBe(0);
  expect(view.pageCount).toBe(view.lengthBytes / PAGE);
  expect([leadingBytes < PAGE, trailingBytes < PAGE]).toEqual([true, true]);
  expect(leadingBytes + view.lengthBytes + trailingBytes).toBe(lengthBytes);
}

describe.each(Object.entries(KINDS))('%s', (_, make) => {
  test('is viewed by its whole pages, moved, and keeps every byte', async () => {
    const [memory, bytes] = make();
    bytes.forEach((_byte, at) => {
      if (at % 512 === 0) bytes[at] = at / 512 + 1;
    });
    const copy = bytes.slice();
    using view = numa.view(memory);
    expectWhole(view, bytes.length);
    const back = await view.migrate({ to: firstNode });
    expectAccounted(back, view.pageCount);
    const report = await view.migrate({ to: otherNode });
    expectAccounted(report, view.pageCount);
    expect(report.complete).toBe(true);
    expect((await view.residency()).byNode).toEqual({ [otherNode]: view.pageCount });
    expect(view.residencySync().byNode).toEqual({ [otherNode]: view.pageCount });
    expect(Buffer.compare(bytes, copy)).toBe(0);
    expect(numa.view(memory).address).toBe(view.address);
  });
});

describe('a view', () => {
  test('touches its pages by its policy, and puts it back when it is released', (context) => {
    if (usesHugePages()) context.skip('huge pages are on: one touch makes hundreds of pages');
    // Fresh pages: what the engine allocates otherwise may be memory that was used before.
    const memory = new WebAssembly.Memory({ initial: (64 * PAGE) / WASM_PAGE });
    const view = numa.view(memory);
    const half = { offsetBytes: 0, lengthBytes: 32 * PAGE };
    view.setPolicy(bind(otherNode), half);
    view.setPolicy(interleave('all'), { offsetBytes: 16 * PAGE, lengthBytes: 4 * PAGE });
    expect(`${view.policy()}`).toBe(`bind:${otherNode}`);
    view.touch(half);
    expect(view.residencySync(half).pages.present).toBe(32);
    const { byNode } = view.residencySync({ lengthBytes: 16 * PAGE });
    expect(byNode).toEqual({ [otherNode]: 16 });
    view.exemptFromBalancing();
    expect(view.policy({ offsetBytes: 40 * PAGE }).mode).toBe('local');
    view.release();
    view.release();
    using again = numa.view(memory);
    const modes = [0, 16, 20, 40].map((page) => again.policy({ offsetBytes: page * PAGE }).mode);
    expect(modes).toEqual(['default', 'default', 'default', 'default']);
    expect(again.residencySync(half).pages.present).toBe(32);
  });

  test('puts back what others had set, part by part', () => {
    using buffer = numa.allocate(16 * PAGE, { policy: bind(firstNode) });
    buffer.setPolicy(interleave('all'), { offsetBytes: 4 * PAGE, lengthBytes: 4 * PAGE });
    const view = numa.view(buffer.bytes);
    expect(view.edges).toEqual({ leadingBytes: 0, trailingBytes: 0 });
    view.setPolicy(bind(otherNode));
    expect(`${buffer.policy({ offsetBytes: 4 * PAGE })}`).toBe(`bind:${otherNode}`);
    view.release();
    const policies = [0, 4, 8].map((page) => `${buffer.policy({ offsetBytes: page * PAGE })}`);
    const first = `bind:${firstNode}`;
    expect(policies).toEqual([first, `interleave:${numa.allowedNodes()}`, first]);
  });

  test('that was released refuses every verb', async () => {
    const view = numa.view(new ArrayBuffer(BYTES));
    view.release();
    expect(view.isReleased).toBe(true);
    const verbs = [
      () => view.residency(),
      () => view.residencySync(),
      () => view.policy(),
      () => view.setPolicy(bind(firstNode)),
      () => view.exemptFromBalancing(),
      () => view.migrate({ to: firstNode }),
      () => view.touch(),
    ];
    for (const verb of verbs) {
      const { code, error } = await failureOf(verb);
      expect([code, error.message]).toEqual([
        'NUMA_RELEASED',
        expect.stringContaining('this view was released'),
      ]);
    }
  });
});

/** What may become of a buffer in the middle of a move. */
const CHANGES: Readonly<Record<string, () => { memory: ViewableMemory; change: () => unknown }>> = {
  'is transferred': () => {
    const memory = new ArrayBuffer(12 * MIB);
    return { memory, change: () => structuredClone(memory, { transfer: [memory] }) };
  },
  'gets shorter': () => {
    const memory = resizable(12 * MIB, 12 * MIB);
    const { resize } = memory as unknown as { resize(bytes: number): void };
    return { memory, change: () => resize.call(memory, PAGE) };
  },
  grows: () => {
    const memory = growable(12 * MIB, 16 * MIB) as SharedArrayBuffer;
    return { memory, change: () => memory.grow(16 * MIB) };
  },
  'is detached by memory.grow()': () => {
    const memory = new WebAssembly.Memory({ initial: (12 * MIB) / WASM_PAGE });
    return { memory, change: () => memory.grow(1) };
  },
  'has another after memory.grow()': () => {
    const initial = (12 * MIB) / WASM_PAGE;
    const memory = new WebAssembly.Memory({ initial, maximum: initial + 1, shared: true });
    return { memory, change: () => memory.grow(1) };
  },
};

describe('a buffer in the middle of a move', () => {
  test.each(Object.entries(CHANGES))('%s: the move ends with its report', async (_, make) => {
    const { memory, change } = make();
    const view = numa.view(memory);
    view.setPolicy(bind(firstNode));
    view.touch();
    let steps = 0;
    const onProgress = () => {
      steps += 1;
      if (steps === 1) change();
    };
    const { code, error } = await failureOf(() => view.migrate({ to: otherNode, onProgress }));
    expect([code, steps]).toEqual(['NUMA_RELEASED', 1]);
    expect(error.message).toContain('changed its length');
    const report = error.report as Awaited<ReturnType<MemoryView['migrate']>>;
    expectAccounted(report, view.pageCount);
    expect(report.aborted).toBe(false);
    expect(report.pages.notAttempted).toBeGreaterThanOrEqual(pagesIn(3));
    const { moved, alreadyThere } = report.pages;
    expect(moved + alreadyThere).toBeGreaterThan(0);
    const later = await failureOf(() => view.residency());
    expect(later.code).toBe('NUMA_RELEASED');
    view.release();
  });

  test('that grew has its policies put back all the same', () => {
    const memory = new WebAssembly.Memory({ initial: 16 });
    const view = numa.view(memory);
    view.setPolicy(bind(firstNode));
    memory.grow(1);
    view.release();
    expect(numa.view(memory).policy().mode).toBe('default');
  });
});

describe('no view has', () => {
  const detached = () => {
    const memory = new ArrayBuffer(BYTES);
    structuredClone(memory, { transfer: [memory] });
    return memory;
  };
  const SMALL: Readonly<Record<string, () => ViewableMemory>> = {
    'a small array on the heap': () => new Uint8Array(10),
    'a pooled Buffer': () => Buffer.from('pooled'),
    'a buffer shorter than a page': () => new ArrayBuffer(PAGE - 1),
    'an empty one': () => new SharedArrayBuffer(0),
    'a detached one': detached,
    'an array over a detached one': () => {
      const bytes = new Uint8Array(new ArrayBuffer(BYTES));
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return bytes;
    },
    'a DataView over a detached one': () => {
      const view = new DataView(new ArrayBuffer(BYTES), 8);
      structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
      return view;
    },
  };
  test.each(Object.entries(SMALL))('%s', async (_, make) => {
    const { code, error } = await failureOf(() => numa.view(make()));
    expect(code).toBe('ERR_OUT_OF_RANGE');
    expect(error.message).toMatch(
      /"memory" is out of range: it must (hold a whole page|have bytes)/,
    );
  });
});

describe('pages that other memory shares', () => {
  test('stay out of a view, whatever it does', async (context) => {
    const [home, away] = needNodes(context, 2) as [number, number];
    // A huge page, which others may lie in as well, would go whole.
    using apart = numa.allocate(8 * PAGE, { hugePages: 'none' });
    const bytes = apart.bytes.fill(1);
    using all = numa.view(bytes);
    await all.migrate({ to: home });
    // From the middle of a page to the middle of another.
    const start = all.edges.leadingBytes + PAGE / 2;
    using view = numa.view(bytes.subarray(start, start + 3 * PAGE));
    expect(view.edges).toEqual({ leadingBytes: PAGE / 2, trailingBytes: PAGE / 2 });
    expect((await view.migrate({ to: away })).pages.moved).toBe(2);
    expect(all.residencySync().byNode).toEqual({ [home]: all.pageCount - 2, [away]: 2 });
  });
});

describe('memory that is allocated as a SharedArrayBuffer', () => {
  test('has its policy before it is touched, and the verbs of a buffer', async (context) => {
    if (usesHugePages()) context.skip('huge pages are on: one touch makes hundreds of pages');
    const lengthBytes = 31 * PAGE + 10;
    using buffer = numa.allocate(lengthBytes, { sharedArrayBuffer: true, policy: bind(otherNode) });
    expect(buffer.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([buffer.bytes.length, buffer.lengthBytes]).toEqual([lengthBytes, lengthBytes]);
    expect([buffer.pageCount, buffer.address % BigInt(PAGE)]).toEqual([32, 0n]);
    expect(buffer.residencySync().pages.notPresent).toBe(32);
    buffer.bytes.fill(7);
    expect(buffer.residencySync().byNode).toEqual({ [otherNode]: 32 });
    const report = await buffer.migrate({ to: firstNode });
    expectAccounted(report, 32);
    expect(report.complete).toBe(true);
    expect(buffer.bytes.every((byte) => byte === 7)).toBe(true);
    using again = numa.view(buffer.bytes.buffer);
    expect(again.address).toBeLessThanOrEqual(buffer.address);
    buffer.release();
    expect([buffer.isReleased, buffer.bytes[0]]).toEqual([true, 7]);
    expect((await failureOf(() => buffer.touch())).code).toBe('NUMA_RELEASED');
  });

  test('is of no other kind besides', async () => {
    for (const other of [{ shared: true }, { hugePages: 'none' }]) {
      const options = { sharedArrayBuffer: true, ...other } as never;
      const { code } = await failureOf(() => numa.allocate(PAGE, options));
      expect(code).toBe('ERR_INVALID_ARG_VALUE');
    }
    const no = { sharedArrayBuffer: 'yes' } as never;
    expect((await failureOf(() => numa.allocate(PAGE, no))).code).toBe('ERR_INVALID_ARG_TYPE');
  });
});
