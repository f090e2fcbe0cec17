// @ts-check
// What the engine itself does with a buffer while JavaScript runs: messages, clones, WebAssembly.

import { WASI } from 'node:wasi';
import { MessageChannel } from 'node:worker_threads';

// The types are among those of browsers.
/** @type {{ WebAssembly: any }} */
const { WebAssembly } = /** @type {any} */ (globalThis);

/** A module with one import and one export that calls it: (import "e" "f") (export "run"). */
const moduleBytes = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x02, 0x07, 0x01, 0x01, 0x65, 0x01, 0x66, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x07, 0x01, 0x03, 0x72, 0x75, 0x6e, 0x00, 0x01],
  ...[0x0a, 0x06, 0x01, 0x04, 0x00, 0x10, 0x00, 0x0b],
);

/** @param {string} text */
const name = (text) => [text.length, ...Buffer.from(text)];

/** The same with WASI's sched_yield as the import, and a memory, which WASI asks for. */
const wasiImport = [1, ...name('wasi_snapshot_preview1'), ...name('sched_yield'), 0x00, 0x00];
const wasiExports = [2, ...name('memory'), 0x02, 0x00, ...name('run'), 0x00, 0x01];
const wasiModuleBytes = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x08, 0x02, 0x60, 0x00, 0x01, 0x7f, 0x60, 0x00, 0x00],
  ...[0x02, wasiImport.length, ...wasiImport],
  ...[0x03, 0x02, 0x01, 0x01],
  ...[0x05, 0x03, 0x01, 0x00, 0x01],
  ...[0x07, wasiExports.length, ...wasiExports],
  ...[0x0a, 0x07, 0x01, 0x05, 0x00, 0x10, 0x00, 0x1a, 0x0b],
);

/**
 * A module, with the rest of the memory in a section that nothing reads.
 * @param {Uint8Array} bytes
 * @param {Uint8Array} module
 */
function writeModule(bytes, module = moduleBytes) {
  bytes.set(module);
  const bodyBytes = bytes.length - module.length - 6;
  const length = Array.from({ length: 5 }, (_, index) => {
    return ((bodyBytes >>> (7 * index)) & 0x7f) | (index < 4 ? 0x80 : 0);
  });
  bytes.set([0, ...length, 0], module.length);
}

/** @param {unknown} exports */
function run(exports) {
  /** @type {{ run(): void }} */ (exports).run();
}

/** @type {readonly import('../pending-operations.mjs').PendingOperation[]} */
export const pendingEngineWork = [
  {
    name: 'WebAssembly.compile',
    start: (bytes) => {
      writeModule(bytes);
      return WebAssembly.compile(bytes);
    },
  },
  {
    name: 'WebAssembly.instantiate, with an import that looks at the bytes',
    start: async (bytes) => {
      writeModule(bytes);
      const imports = { e: { f: () => bytes[bytes.length - 1] } };
      const { instance } = await WebAssembly.instantiate(bytes, imports);
      run(instance.exports);
    },
  },
  {
    name: 'a WebAssembly import that releases',
    releasesItself: true,
    start: (bytes, _context, release) => {
      writeModule(bytes);
      const imports = {
        e: {
          f: () => {
            release();
            bytes.fill(1);
          },
        },
      };
      run(new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports);
    },
  },
  {
    name: 'a WASI import',
    releasesItself: true,
    start: async (bytes, _context, release) => {
      writeModule(bytes, wasiModuleBytes);
      const wasi = new WASI({ version: 'preview1' });
      const { wasiImport: calls } = wasi;
      const sched_yield = () => {
        release();
        return calls['sched_yield']?.call(undefined);
      };
      const imports = { wasi_snapshot_preview1: { ...calls, sched_yield } };
      const { instance } = await WebAssembly.instantiate(bytes, imports);
      wasi.initialize(instance);
      run(instance.exports);
    },
  },
  {
    name: 'structuredClone',
    releasesItself: true,
    start: (bytes, _context, release) => {
      const getter = {
        get released() {
          return release();
        },
      };
      return attempted(() => structuredClone({ first: bytes, getter, last: bytes }));
    },
  },
  {
    name: 'structuredClone with a transfer',
    releasesItself: true,
    start: (bytes, _context, release) => {
      const message = {
        bytes,
        get released() {
          return release();
        },
      };
      return attempted(() => structuredClone(message, { transfer: [bytes.buffer] }));
    },
  },
  {
    name: 'MessagePort.postMessage',
    start: async (bytes) => {
      const { port1, port2 } = new MessageChannel();
      const received = new Promise((resolve) => port2.once('message', resolve));
      port1.postMessage(bytes);
      await received;
      port1.close();
    },
  },
  {
    name: 'a comparator that releases',
    releasesItself: true,
    start: (bytes, _context, release) => {
      return bytes.sort(() => {
        release();
        return -1;
      });
    },
  },
  { name: 'Blob', start: (bytes) => new Blob([bytes]).arrayBuffer() },
];

/**
 * Errors are values.
 * @param {() => unknown} work
 */
function attempted(work) {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
