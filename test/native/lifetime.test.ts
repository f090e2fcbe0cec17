/** A mapping lives exactly as long as something uses it. */

import { describe, expect, it } from 'vitest';
import type { Mapping, MappingHandle } from '../../lib/backend/mapping.ts';
import { isMapped } from './memory-map.mjs';
import {
  addon,
  collectGarbage,
  newStatus,
  pageSizeBytes,
  touchedMapping,
  UNWRITTEN,
  unwrap,
} from './raw-addon.mjs';

const PAGES_TO_MOVE = 4096;

function hasOwner(handle: MappingHandle): boolean {
  const attached = addon.attach(handle.id, handle.generation);
  if (attached.ok) addon.munmap(attached.value);
  return attached.ok;
}

/** ArrayBuffer.prototype.transfer, which came with Node 22. */
function transfer(buffer: ArrayBuffer): ArrayBuffer | undefined {
  return (buffer as { transfer?: () => ArrayBuffer }).transfer?.();
}

describe('munmap', () => {
  it('unmaps at once when nothing else uses the mapping', () => {
    const mapping = touchedMapping(4);
    expect(isMapped(mapping.address)).toBe(true);
    addon.munmap(mapping);
    expect(isMapped(mapping.address)).toBe(false);
  });

  it('detaches the ArrayBuffer at once and unmaps when it is collected', async () => {
    const mapping = touchedMapping(4);
    let bytes: Uint8Array | undefined = new Uint8Array(unwrap(addon.array_buffer(mapping)));
    const address = mapping.address;
    addon.munmap(mapping);
    expect(bytes.length).toBe(0);
    expect(bytes[0]).toBeUndefined();
    await collectGarbage();
    expect(isMapped(address)).toBe(true);
    bytes = undefined;
    await collectGarbage();
    expect(isMapped(address)).toBe(false);
  });

  it('does nothing the second time', () => {
    const mapping = touchedMapping(1);
    const other = unwrap(addon.attach(mapping.handle.id, mapping.handle.generation));
    addon.munmap(mapping);
    addon.munmap(mapping);
    expect(isMapped(other.address)).toBe(true);
    addon.munmap(other);
    expect(isMapped(other.address)).toBe(false);
  });

  it('leaves an owner with which nothing works any more', async () => {
    const mapping = touchedMapping(1);
    addon.munmap(mapping);
    const errno = { ok: false, errno: 2 };
    expect(addon.array_buffer(mapping)).toMatchObject(errno);
    expect(addon.touch(mapping, 0, 1, 'write')).toMatchObject(errno);
    const status = newStatus(1);
    expect(addon.move_pages(0, 1, mapping.address, 0, status, 2, mapping)).toMatchObject(errno);
    const later = addon.move_pages_async(0, 1, mapping.address, 0, status, 2, mapping);
    expect(await later).toMatchObject(errno);
    expect(status[0]).toBe(UNWRITTEN);
  });
});

describe('a mapping stays', () => {
  it('while a move runs, and the move ends well', async () => {
    const mapping = touchedMapping(PAGES_TO_MOVE);
    let bytes: Uint8Array | undefined = new Uint8Array(unwrap(addon.array_buffer(mapping)));
    const { address } = mapping;
    // Parts that do not overlap: moves of one page would find it busy in each other's hands.
    const partPages = PAGES_TO_MOVE / 8;
    const parts = Array.from({ length: 8 }, () => newStatus(partPages));
    const moves = parts.map((status, index) => {
      const part = address + BigInt(index * partPages * addon.page_size_bytes());
      return addon.move_pages_async(0, partPages, part, 0, status, 2, mapping);
    });
    addon.munmap(mapping);
    expect(bytes.length).toBe(0);
    for (const result of await Promise.all(moves)) expect(result).toEqual({ ok: true, value: 0 });
    for (const status of parts) expect(status.every((node) => node === 0)).toBe(true);
    bytes = undefined;
    await collectGarbage();
    expect(isMapped(address)).toBe(false);
  });

  it('while a transferred ArrayBuffer has it', async () => {
    const mapping = touchedMapping(1);
    let moved = transfer(unwrap(addon.array_buffer(mapping)));
    if (moved === undefined) return; // Node 20 cannot transfer.
    new Uint8Array(moved)[0] = 7;
    addon.munmap(mapping);
    await collectGarbage();
    expect(new Uint8Array(moved)[0]).toBe(7);
    moved = undefined;
    await collectGarbage();
    expect(isMapped(mapping.address)).toBe(false);
  });

  it('while another owner has it, with the same bytes', async () => {
    const first = touchedMapping(1);
    const second = unwrap(addon.attach(first.handle.id, first.handle.generation));
    new Uint8Array(unwrap(addon.array_buffer(first)))[5] = 42;
    addon.munmap(first);
    await collectGarbage();
    expect(new Uint8Array(unwrap(addon.array_buffer(second)))[5]).toBe(42);
    addon.munmap(second);
  });
});

describe('an owner', () => {
  it('has one ArrayBuffer', () => {
    const mapping = touchedMapping(1);
    const buffer = unwrap(addon.array_buffer(mapping));
    expect(unwrap(addon.array_buffer(mapping))).toBe(buffer);
    expect(buffer.byteLength).toBe(mapping.lengthBytes);
    addon.munmap(mapping);
  });

  it('that is collected without munmap gives its share up', async () => {
    const handles = makeGarbage();
    await collectGarbage();
    expect(handles.filter(hasOwner)).toEqual([]);
  });

  it('that is collected leaves the ArrayBuffer usable', async () => {
    const bytes = bytesWithoutOwner();
    await collectGarbage();
    bytes[3] = 9;
    expect(bytes[3]).toBe(9);
  });

  it('longer than the engine can show gives EOVERFLOW and stays usable', async () => {
    const result = addon.mmap(2 ** 33);
    if (!result.ok) return; // Refused by this machine's overcommit rule.
    let buffer: unknown = addon.array_buffer(result.value);
    if ((buffer as { ok: boolean }).ok) buffer = undefined;
    else expect(buffer).toEqual({ ok: false, errno: 75, syscall: 'array_buffer' });
    expect(addon.touch(result.value, 2 ** 33 - 1, 1, 'write').ok).toBe(true);
    addon.munmap(result.value);
    await collectGarbage();
    expect(isMapped(result.value.address)).toBe(false);
  });

  it('hurries the garbage collector by its size, with or without an ArrayBuffer', async () => {
    for (const use of [addon.array_buffer, () => undefined]) {
      const handles: MappingHandle[] = [];
      for (let count = 0; count < 200; count += 1) {
        handles.push(largeGarbage(use));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(handles.filter(hasOwner).length).toBeLessThan(handles.length / 2);
    }
  });
});

describe('a handle', () => {
  it('is stale after the last owner, also when its slot is in use again', () => {
    const mapping = touchedMapping(1);
    const { id, generation } = mapping.handle;
    addon.munmap(mapping);
    const next = touchedMapping(1);
    expect(next.handle.id).toBe(id);
    expect(addon.attach(id, generation)).toEqual({ ok: false, errno: 2, syscall: 'attach' });
    addon.munmap(next);
  });

  it('is stale after the last owner while an ArrayBuffer still has the mapping', () => {
    const mapping = touchedMapping(1);
    unwrap(addon.array_buffer(mapping));
    const { id, generation } = mapping.handle;
    addon.munmap(mapping);
    expect(addon.attach(id, generation)).toMatchObject({ ok: false, errno: 2 });
  });

  it('that never was names nothing', () => {
    expect(addon.attach(2 ** 32, 1)).toMatchObject({ ok: false, errno: 2 });
    expect(addon.attach(0, 2 ** 53 - 1)).toMatchObject({ ok: false, errno: 2 });
  });
});

describe('a status array', () => {
  it('that is detached while the call runs loses its statuses, nothing else', async () => {
    const mapping = touchedMapping(PAGES_TO_MOVE);
    const status = newStatus(PAGES_TO_MOVE);
    const move = addon.move_pages_async(0, PAGES_TO_MOVE, mapping.address, 0, status, 2, mapping);
    const kept = structuredClone(status, { transfer: [status.buffer] });
    expect(await move).toEqual({ ok: true, value: 0 });
    expect(status.length).toBe(0);
    expect(kept[0]).toBe(UNWRITTEN);
    addon.munmap(mapping);
  });

  it('keeps what the kernel did not write', () => {
    const mapping = touchedMapping(3);
    const status = newStatus(3);
    const targets = new Int32Array([0, 1023, 0]);
    const result = addon.move_pages(0, 3, mapping.address, targets, status, 2, mapping);
    expect(result).toEqual({ ok: false, errno: 19, syscall: 'move_pages' });
    expect([...status]).toEqual([0, UNWRITTEN, UNWRITTEN]);
    addon.munmap(mapping);
  });

  it('may be a view of the very pages that move', async () => {
    const mapping = touchedMapping(4);
    const status = new Int32Array(unwrap(addon.array_buffer(mapping)), pageSizeBytes, 4);
    const move = addon.move_pages_async(0, 4, mapping.address, 0, status, 2, mapping);
    expect(await move).toEqual({ ok: true, value: 0 });
    expect([...status]).toEqual([0, 0, 0, 0]);
    addon.munmap(mapping);
  });
});

// In functions of their own, so that no register or variable keeps the owner.
function makeGarbage(): MappingHandle[] {
  return Array.from({ length: 20 }, () => touchedMapping(2).handle);
}

function largeGarbage(use: (mapping: Mapping) => unknown): MappingHandle {
  const mapping = unwrap(addon.mmap(64 * 2 ** 20));
  use(mapping);
  return mapping.handle;
}

function bytesWithoutOwner(): Uint8Array {
  return new Uint8Array(unwrap(addon.array_buffer(touchedMapping(1))));
}
