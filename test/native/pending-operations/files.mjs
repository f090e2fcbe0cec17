// @ts-check
// Files, by callbacks, promises and streams.

import fs from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { called, ended } from './context.mjs';

/** Looks at what it was given in a later turn. */
function slowWritable() {
  const stream = new Writable({
    write: (chunk, _encoding, done) =>
      setImmediate(() => done(chunk[0] > 255 ? new Error('no byte') : null)),
  });
  return stream.on('error', () => {});
}

/** @type {readonly import('../pending-operations.mjs').PendingOperation[]} */
export const pendingFileOperations = [
  {
    name: 'fs.read',
    start: (bytes, { descriptor }) =>
      called((done) => fs.read(descriptor, bytes, 0, bytes.length, 0, done)),
  },
  {
    name: 'fs.readv',
    start: (bytes, { descriptor }) => called((done) => fs.readv(descriptor, [bytes], 0, done)),
  },
  {
    name: 'FileHandle.read',
    start: (bytes, { reader }) => reader.read(bytes, 0, bytes.length, 0),
  },
  { name: 'FileHandle.readv', start: (bytes, { reader }) => reader.readv([bytes], 0) },
  {
    name: 'fs.write',
    start: (bytes, { sinkDescriptor }) =>
      called((done) => fs.write(sinkDescriptor, bytes, 0, bytes.length, 0, done)),
  },
  {
    name: 'fs.writev',
    start: (bytes, { sinkDescriptor }) =>
      called((done) => fs.writev(sinkDescriptor, [bytes], 0, done)),
  },
  {
    name: 'fs.writeFile',
    start: (bytes, { folder }) => called((done) => fs.writeFile(join(folder, 'a'), bytes, done)),
  },
  {
    name: 'FileHandle.write',
    start: (bytes, { writer }) => writer.write(bytes, 0, bytes.length, 0),
  },
  { name: 'FileHandle.writev', start: (bytes, { writer }) => writer.writev([bytes], 0) },
  {
    name: 'fs.promises.writeFile',
    start: (bytes, { folder }) => fs.promises.writeFile(join(folder, 'b'), bytes),
  },
  {
    name: 'fs.promises.appendFile',
    start: (bytes, { folder }) => fs.promises.appendFile(join(folder, 'c'), bytes),
  },
  {
    name: 'fs.WriteStream',
    start: (bytes, { folder }) => {
      const stream = fs.createWriteStream(join(folder, 'd'));
      stream.on('error', () => {});
      stream.end(bytes);
      // The write of a view without memory never ends; what it does, it does in these turns.
      stream.on('ready', () => setTimeout(() => stream.destroy(), 1));
      return ended(stream);
    },
  },
  {
    name: 'stream.pipeline',
    start: (bytes) =>
      pipeline(
        // A Buffer already: making one of a view without memory throws in a later turn.
        Readable.from([Buffer.from(bytes.buffer)]),
        new PassThrough({ objectMode: true }),
        slowWritable(),
      ),
  },
  {
    name: 'a slow stream.Writable',
    start: (bytes) => {
      const stream = slowWritable();
      stream.write(bytes);
      // Not the stream's end: it counts lengths, and waits for what has none any more.
      return called((done) => stream.write(bytes, done));
    },
  },
  {
    name: 'ReadableStream, to its own buffer',
    start: async (bytes) => {
      const stream = new ReadableStream({
        type: 'bytes',
        pull: async (controller) => {
          await new Promise(setImmediate);
          controller.close();
          controller.byobRequest?.respond(0);
        },
      });
      return stream.getReader({ mode: 'byob' }).read(bytes);
    },
  },
];
