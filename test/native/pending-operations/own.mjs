// @ts-check
// The addon's own calls, on the pool and on threads of their own, and arrays over a part.

import fs from 'node:fs';
import { called } from './context.mjs';

const MADV_POPULATE_WRITE = 23;
const MPOL_MF_MOVE = 2;

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {import('./context.mjs').Context} context
 * @returns {import('../../../lib/backend/mapping.ts').Mapping} behind the bytes
 */
function mappingOf({ buffer }, { mappings }) {
  const mapping = mappings.get(buffer);
  if (mapping === undefined) throw new Error('no mapping is known of these bytes');
  return mapping;
}

/** @type {readonly import('../pending-operations.mjs').PendingOperation[]} */
export const pendingOwnCalls = [
  {
    name: 'populating',
    needsMapping: true,
    start: (bytes, context) =>
      context.addon.madvise_async(
        mappingOf(bytes, context),
        0,
        bytes.length,
        MADV_POPULATE_WRITE,
        [],
      ),
  },
  {
    name: 'flushing',
    needsMapping: true,
    start: (bytes, context) =>
      context.addon.msync_async(mappingOf(bytes, context), 0, bytes.length),
  },
  {
    name: 'moving',
    needsMapping: true,
    start: (bytes, context) => {
      const mapping = mappingOf(bytes, context);
      const pageSizeBytes = context.addon.page_size_bytes();
      const status = new Int32Array(Math.ceil(bytes.length / pageSizeBytes));
      const { address } = mapping;
      return context.addon.move_pages_async(
        ...[0, status.length, address, 0, status, MPOL_MF_MOVE, mapping],
      );
    },
  },
  {
    name: 'copying',
    needsMapping: true,
    start: (bytes, context) =>
      context.addon.copy_pages_async(
        ...[mappingOf(bytes, context), 0, bytes.length, 0, [], 0, null, 0, -1, 0],
      ),
  },
  {
    name: 'a resize while it populates',
    needsMapping: true,
    start: (bytes, context) => {
      const mapping = mappingOf(bytes, context);
      const pending = context.addon.madvise_async(
        mapping,
        0,
        bytes.length,
        MADV_POPULATE_WRITE,
        [],
      );
      // In use: it is refused, or the call has ended before.
      context.addon.mremap(mapping, 2 * bytes.length, new BigUint64Array());
      return pending;
    },
  },
  {
    name: 'fs.read into a part of it',
    needsMapping: true,
    start: (bytes, context) => {
      const part = context.addon.array_buffer_part(mappingOf(bytes, context), 1, bytes.length - 1);
      if (!part.ok) throw new Error(`array_buffer_part failed with errno ${part.errno}`);
      const array = new Uint8Array(part.value);
      return called((done) => fs.read(context.descriptor, array, 0, array.length, 0, done));
    },
  },
];
