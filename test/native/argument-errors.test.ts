/** No argument, however wrong, may crash a raw export: it throws, or the kernel answers. */

import { describe, expect, it } from 'vitest';
import { entryPoints, exportedNames } from './entry-points.ts';
import { addon, newStatus, pageSizeBytes, touchedMapping } from './raw-addon.mjs';
import { detachedWords, wrongValues } from './wrong-values.ts';

type RawFunction = (...values: unknown[]) => unknown;

const exportsByName = addon as unknown as Record<string, RawFunction>;

function call(name: string, ...values: unknown[]): unknown {
  return (exportsByName[name] as RawFunction)(...values);
}

const mapping = touchedMapping(4);
const words = new BigUint64Array([1n]);

/** Arguments with which each export works. */
const good = Object.fromEntries(
  Object.entries(entryPoints(addon)).map(([name, point]) => [name, point.arguments()]),
);

const detached = detachedWords();
const wrong = wrongValues(mapping);

/** A thrown error with Node's code, an errno, or a value: all but a crash. */
async function outcome(name: string, values: readonly unknown[]): Promise<unknown> {
  try {
    return await call(name, ...values);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    expect((error as { code?: string }).code).toMatch(/^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/);
    return error;
  }
}

describe('arguments of the raw exports', () => {
  it('cover every export', () => {
    expect(Object.keys(good).sort()).toEqual(exportedNames(addon).sort());
  });

  for (const [name, values] of Object.entries(good)) {
    it(`${name} survives each wrong value at each place`, async () => {
      for (const [place] of values.entries()) {
        for (const value of wrong) {
          // A mapping that this very test made may be given up, or its policy changed: harmless.
          await outcome(name, values.with(place, value));
        }
      }
      addon.set_mempolicy(0, null, 0);
      addon.sched_setaffinity(0, [0, 1]);
    });

    it(`${name} survives missing and surplus arguments`, async () => {
      for (let length = 0; length < values.length; length += 1) {
        await outcome(name, values.slice(0, length));
      }
      await outcome(name, [...values, 1, 'surplus', {}]);
    });
  }

  it('are named by the error', () => {
    expect(() => call('mmap', 'x')).toThrow(/"lengthBytes" argument must be a number/);
    expect(() => call('mmap', -1)).toThrow(/"lengthBytes" argument must be an integer/);
    expect(() => call('touch', {}, 0, 0, 'read')).toThrow(/"mapping" argument/);
    expect(() => call('touch', mapping, 0, 1, 'execute')).toThrow(/"access" argument/);
    expect(() => call('sched_setaffinity', 0, [0, 'x'])).toThrow(/"cpus" argument/);
  });

  it('never let the kernel read beyond a mask', () => {
    expect(() => addon.set_mempolicy(2, words, 66)).toThrow(RangeError);
    expect(() => addon.set_mempolicy(2, new BigUint64Array(0), 2)).toThrow(RangeError);
    expect(() => addon.set_mempolicy(2, detached, 2)).toThrow(RangeError);
    expect(() => addon.mbind(mapping.address, 1, 2, words, 2 ** 53 - 1, 0)).toThrow(RangeError);
    expect(() => addon.migrate_pages_async(0, 129, new BigUint64Array(2), words)).toThrow(
      RangeError,
    );
    expect(addon.set_mempolicy(2, words, 65)).toEqual({ ok: true, value: undefined });
    expect(addon.set_mempolicy(0, null, 0)).toEqual({ ok: true, value: undefined });
  });

  it('never let the kernel pass the end of a page array', () => {
    const status = newStatus(4);
    const addresses = new BigUint64Array(3).fill(mapping.address);
    const move =
      (...values: unknown[]) =>
      () =>
        call('move_pages', ...values);
    expect(move(0, 5, mapping.address, null, status, 2, null)).toThrow(RangeError);
    expect(move(0, 4, addresses, null, status, 2, null)).toThrow(RangeError);
    expect(move(0, 4, mapping.address, new Int32Array(3), status, 2, null)).toThrow(RangeError);
    expect(move(0, 2 ** 53 - 1, mapping.address, null, status, 2, null)).toThrow(RangeError);
  });

  it('that the kernel refuses come back as its errno', () => {
    expect(addon.mmap(0)).toEqual({ ok: false, errno: 22, syscall: 'mmap' });
    expect(addon.mmap(2 ** 52)).toEqual({ ok: false, errno: 12, syscall: 'mmap' });
    expect(addon.set_mempolicy(-1, null, 0)).toMatchObject({ ok: false, errno: 22 });
    expect(addon.set_mempolicy(2, words, 0)).toMatchObject({ ok: false, errno: 22 });
    expect(addon.mbind(1n, 1, 2, words, 65, 0)).toMatchObject({ ok: false, errno: 22 });
    expect(addon.mbind(0n, pageSizeBytes, 2, words, 65, 0)).toMatchObject({ errno: 14 });
    expect(addon.get_mempolicy(0, 0n, 2 ** 31)).toMatchObject({ ok: false, errno: 22 });
    expect(addon.get_mempolicy(2 ** 53 - 1, 0n, 0)).toMatchObject({ ok: false, errno: 22 });
    const home = addon.set_mempolicy_home_node;
    expect(home(1n, 1, 0, 0)).toEqual({ ok: false, errno: 22, syscall: 'set_mempolicy_home_node' });
    expect(home(mapping.address, 1, 2 ** 40, 0)).toMatchObject({ ok: false, errno: 22 });
    expect(addon.sched_setaffinity(0, [65_536, 2 ** 32 - 1])).toMatchObject({ errno: 22 });
    expect(addon.sched_setaffinity(2 ** 31 - 1, [0])).toMatchObject({ errno: 3 });
  });

  it('outside a mapping are ERANGE for touch', () => {
    const { lengthBytes } = mapping;
    const errno = { ok: false, errno: 34, syscall: 'touch' };
    expect(addon.touch(mapping, lengthBytes + 1, 0, 'read')).toEqual(errno);
    expect(addon.touch(mapping, 1, lengthBytes, 'read')).toEqual(errno);
    expect(addon.touch(mapping, 2 ** 53 - 1, 2 ** 53 - 1, 'write')).toEqual(errno);
    expect(addon.touch(mapping, lengthBytes, 0, 'read')).toMatchObject({ ok: true });
  });
});
