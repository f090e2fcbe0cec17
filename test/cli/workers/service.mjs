// @ts-check
// A service as anybody writes one, without node-numa: it holds data and answers requests on a
// socket. Each request reads and writes some pages at random, and takes a little memory more, as
// allocators do; how long that took is told when asked.

import { createServer } from 'node:http';
import { crc32 } from 'node:zlib';

const [, , socketPath, mib] = process.argv;
const blockBytes = 16 * 2 ** 20;
const pageBytes = 4096;
const pagesPerRequest = 32;

/** The data: its first byte of each page counts writes, the rest never changes. */
const blocks = Array.from({ length: (Number(mib) * 2 ** 20) / blockBytes }, (_, at) => {
  return Buffer.alloc(blockBytes, at + 1);
});
const pageCount = (blocks.length * blockBytes) / pageBytes;

let state = 12345;
function randomPage() {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return state % pageCount;
}

const stepBytes = 64 * 1024;

/** Grows by 64 KiB with each request: a change of mappings, which waits for who walks them. */
const growing = new SharedArrayBuffer(stepBytes, { maxByteLength: 2 ** 31 });

/**
 * Longest step of each request, in microseconds.
 * @type {number[]}
 */
let timesUs = [];
let writeCount = 0;

function work() {
  let longest = 0;
  for (let count = 0; count < pagesPerRequest; count += 1) {
    const page = randomPage();
    const block = /** @type {Buffer} */ (blocks[Math.floor((page * pageBytes) / blockBytes)]);
    const offset = (page * pageBytes) % blockBytes;
    const start = performance.now();
    block.writeUInt8((block.readUInt8(offset) + 1) % 256, offset);
    longest = Math.max(longest, performance.now() - start);
  }
  const start = performance.now();
  growing.grow(growing.byteLength + stepBytes);
  longest = Math.max(longest, performance.now() - start);
  writeCount += pagesPerRequest;
  timesUs.push(longest * 1000);
}

function checksum() {
  let sum = 0;
  let counted = 0;
  for (const [at, block] of blocks.entries()) {
    for (let offset = 0; offset < blockBytes; offset += pageBytes) {
      counted = (counted + ((block.readUInt8(offset) - (at + 1)) & 255)) >>> 0;
      sum = crc32(block.subarray(offset + 1, offset + 64), sum);
    }
  }
  return { sum, counted };
}

createServer((request, response) => {
  if (request.url === '/times') {
    response.end(JSON.stringify({ timesUs, writeCount }));
    timesUs = [];
  } else if (request.url === '/check') {
    response.end(JSON.stringify({ ...checksum(), writeCount }));
  } else {
    work();
    response.end('ok');
  }
}).listen(socketPath, () => process.stdout.write('ready\n'));
