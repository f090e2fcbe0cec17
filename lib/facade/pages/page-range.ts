/**
 * A range within a buffer: checked offsets and lengths in bytes, turned into whole pages.
 */

import { outOfRange } from '../../core/argument-errors.ts';
import { checkInteger } from '../../core/check-arguments.ts';

/** Part of a buffer; the whole buffer when both are absent. */
export interface RangeOptions {
  /** Start within the buffer, a multiple of the page size. Default 0. */
  readonly offsetBytes?: number;
  /** Length in bytes, up to the buffer's end; the last page counts as a whole. Default: all the
   *  rest. */
  readonly lengthBytes?: number;
}

/** Names of the members of RangeOptions. */
export const RANGE_OPTION_NAMES = ['offsetBytes', 'lengthBytes'] as const;

/** Whole pages of a mapping. */
export interface PageRange {
  readonly address: bigint;
  readonly offsetBytes: number;
  /** Whole pages. */
  readonly lengthBytes: number;
  readonly pageCount: number;
}

/**
 * Checks a range against its buffer.
 * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
 */
export function checkPageRange(
  options: RangeOptions,
  buffer: { readonly address: bigint; readonly lengthBytes: number },
  pageSizeBytes: number,
  argument: string = 'options',
): PageRange {
  const { offsetBytes = 0 } = options;
  checkInteger(offsetBytes, `${argument}.offsetBytes`, 0);
  if (offsetBytes >= buffer.lengthBytes) {
    const rule = `it must lie within the buffer of ${buffer.lengthBytes} bytes`;
    throw outOfRange(`${argument}.offsetBytes`, rule, offsetBytes);
  }
  if (offsetBytes % pageSizeBytes !== 0) {
    const rule = `it must be a multiple of the page size (numa.pageSizeBytes, ${pageSizeBytes})`;
    throw outOfRange(`${argument}.offsetBytes`, rule, offsetBytes);
  }
  const restBytes = buffer.lengthBytes - offsetBytes;
  const { lengthBytes = restBytes } = options;
  checkInteger(lengthBytes, `${argument}.lengthBytes`, 1);
  if (lengthBytes > restBytes) {
    const rule = `only ${restBytes} bytes follow offset ${offsetBytes} in the buffer`;
    throw outOfRange(`${argument}.lengthBytes`, rule, lengthBytes);
  }
  const pageCount = Math.ceil(lengthBytes / pageSizeBytes);
  return {
    address: buffer.address + BigInt(offsetBytes),
    offsetBytes,
    lengthBytes: pageCount * pageSizeBytes,
    pageCount,
  };
}
