// @ts-check
// zlib, brotli and, where Node has it, zstd: at once, as streams and as web streams.

import zlib from 'node:zlib';
import { called, ended } from './context.mjs';

/** @typedef {import('../pending-operations.mjs').PendingOperation} PendingOperation */

/** @type {Record<string, any>} */
const functions = zlib;

/** @type {PendingOperation[]} */
const atOnce = ['deflate', 'gzip', 'deflateRaw', 'inflate', 'brotliCompress', 'zstdCompress']
  .filter((name) => name in functions)
  .map((name) => ({
    name: `zlib.${name}`,
    start: (bytes) => called((done) => functions[name](bytes, optionsOf(name), done)),
  }));

/** @type {PendingOperation[]} */
const streams = ['createDeflate', 'createGzip', 'createBrotliCompress', 'createZstdCompress']
  .filter((name) => name in functions)
  .map((name) => ({
    name: `zlib.${name}`,
    start: (bytes) => {
      const stream = functions[name](optionsOf(name));
      stream.resume();
      stream.end(bytes);
      return ended(stream);
    },
  }));

/** The quickest brotli: what takes time is the storm's to choose. */
/** @param {string} name */
function optionsOf(name) {
  if (!/brotli/i.test(name)) return {};
  return { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } };
}

/** @type {readonly PendingOperation[]} */
export const pendingCompressions = [
  ...atOnce,
  ...streams,
  {
    name: 'CompressionStream',
    start: async (bytes) => {
      const stream = new CompressionStream('gzip');
      const writer = stream.writable.getWriter();
      const written = writer.write(bytes).then(() => writer.close());
      const reader = stream.readable.getReader();
      await Promise.all([written, reader.read(), reader.read()]);
    },
  },
];
