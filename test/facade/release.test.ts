/** How memory of this process ends, whoever mapped it. */

import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { RangeMemory } from '../../lib/index.ts';
import { numa } from './machine.ts';

const BYTES = 1 << 18;

/** Memory of each class, by the class's name. */
const CLASSES: Readonly<Record<string, () => RangeMemory>> = {
  MappedBuffer: () => numa.allocate(BYTES),
  MemoryView: () => numa.view(new ArrayBuffer(BYTES)),
  SharedBuffer: () => numa.allocate(BYTES, { sharedArrayBuffer: true }),
};

describe.each(Object.entries(CLASSES))('%s', (name, make) => {
  test('ends as memory of every class does', () => {
    const memory = make();
    const line = `${name}(${memory.lengthBytes} bytes at 0x${memory.address.toString(16)}`;
    expect([inspect(memory), memory.isReleased]).toEqual([`${line})`, false]);
    {
      using scoped = memory;
      expect(scoped.isReleased).toBe(false);
    }
    memory.release();
    expect([inspect(memory), memory.isReleased]).toEqual([`${line}, released)`, true]);
    const own = Reflect.ownKeys(Object.getPrototypeOf(memory));
    for (const member of ['isReleased', 'release', Symbol.dispose, inspect.custom]) {
      expect(own).not.toContain(member);
    }
  });
});
