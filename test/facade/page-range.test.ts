/** Byte ranges become whole pages of their buffer, or an error: never pages of somebody else. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkPageRange } from '../../lib/facade/pages/page-range.ts';
import { thrownBy } from '../core/thrown.ts';

const pageSize = fc.constantFrom(4096, 16384, 65536);
const length = fc.integer({ min: 1, max: 2 ** 24 });
const address = 0x7f00_0000_0000n;

test('a range without options is the whole buffer', () => {
  fc.assert(
    fc.property(length, pageSize, (lengthBytes, pageSizeBytes) => {
      const range = checkPageRange({}, { address, lengthBytes }, pageSizeBytes);
      const pageCount = Math.ceil(lengthBytes / pageSizeBytes);
      expect(range).toEqual({
        address,
        offsetBytes: 0,
        pageCount,
        lengthBytes: pageCount * pageSizeBytes,
      });
    }),
  );
});

test('a range covers what was asked, in whole pages, within the pages of the buffer', () => {
  fc.assert(
    fc.property(length, pageSize, fc.nat(), fc.nat(), (total, pageSizeBytes, a, b) => {
      const offsetBytes = Math.floor((a % total) / pageSizeBytes) * pageSizeBytes;
      const lengthBytes = 1 + (b % (total - offsetBytes));
      const buffer = { address, lengthBytes: total };
      const range = checkPageRange({ offsetBytes, lengthBytes }, buffer, pageSizeBytes);
      expect(range.address).toBe(address + BigInt(offsetBytes));
      expect(range.lengthBytes).toBe(range.pageCount * pageSizeBytes);
      expect(range.lengthBytes).toBeGreaterThanOrEqual(lengthBytes);
      expect(range.lengthBytes - lengthBytes).toBeLessThan(pageSizeBytes);
      const pagesOfBuffer = Math.ceil(total / pageSizeBytes);
      expect(offsetBytes / pageSizeBytes + range.pageCount).toBeLessThanOrEqual(pagesOfBuffer);
    }),
  );
});

test('a range that is none is refused, whatever numbers it has', () => {
  const number = fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger());
  fc.assert(
    fc.property(length, pageSize, number, number, (total, pageSizeBytes, offset, count) => {
      const isRight =
        Number.isSafeInteger(offset) &&
        Number.isSafeInteger(count) &&
        offset >= 0 &&
        offset % pageSizeBytes === 0 &&
        count >= 1 &&
        offset + count <= total;
      const options = { offsetBytes: offset, lengthBytes: count };
      const check = () => checkPageRange(options, { address, lengthBytes: total }, pageSizeBytes);
      if (isRight) expect(check().pageCount).toBeGreaterThan(0);
      else expect(thrownBy(check).code).toBe('ERR_OUT_OF_RANGE');
    }),
  );
});

test('the error names the limit', () => {
  const buffer = { address, lengthBytes: 10_000 };
  const messageOf = (options: object) =>
    thrownBy(() => checkPageRange(options, buffer, 4096)).message;
  expect(messageOf({ offsetBytes: 10_000 })).toContain('within the buffer of 10000 bytes');
  expect(messageOf({ offsetBytes: 1 })).toContain('a multiple of the page size');
  expect(messageOf({ offsetBytes: 8192, lengthBytes: 1809 })).toContain(
    'only 1808 bytes follow offset 8192',
  );
});
