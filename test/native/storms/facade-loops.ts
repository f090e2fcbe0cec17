/** Loops over the facade, which call the addon as programs do. */

import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { MappedBuffer, MappingHandle, Numa } from '../../../lib/index.ts';
import type { Facade } from './storm.ts';

/** What the thread that starts workers has, for all of them to use: nobody writes to it. */
export interface Surroundings {
  readonly handle: MappingHandle;
  readonly descriptor: number;
  readonly file: string;
  readonly memory: SharedArrayBuffer;
}

export interface Scene {
  readonly facade: Facade;
  readonly numa: Numa;
  readonly buffer: MappedBuffer;
  readonly surroundings: Surroundings;
  /** A path that no other thread writes to. */
  readonly ownFile: string;
}

export const LENGTH_BYTES = 64 * 1024;
const EMPTY = new URL('data:text/javascript,');

/** One turn of each loop. */
export const facadeLoops: Readonly<Record<string, (scene: Scene) => unknown>> = {
  'allocate, bytes, release': ({ numa }) => {
    const buffer = numa.allocate(LENGTH_BYTES);
    buffer.bytes.fill(1);
    buffer.release();
  },
  'allocate and forget': ({ numa }) => numa.allocate(LENGTH_BYTES).bytes.length,
  'allocate in huge pages, or shared': ({ facade, numa }) => {
    const policy = facade.bind(0);
    for (const options of [{ hugePages: 'transparent' as const }, { shared: true }]) {
      const buffer = numa.allocate(LENGTH_BYTES, { ...options, policy });
      buffer.bytes.fill(1);
      buffer.release();
    }
  },
  'allocate shared and forget': ({ numa }) =>
    numa.allocate(LENGTH_BYTES, { shared: true }).descriptor,
  'allocate of the engine': ({ facade, numa }) => {
    const policy = facade.preferred(0);
    const buffer = numa.allocate(LENGTH_BYTES, { sharedArrayBuffer: true, policy });
    buffer.bytes.fill(1);
    buffer.release();
  },
  'attach, bytes, release': ({ numa, surroundings }) => {
    const buffer = numa.attach(surroundings.handle);
    buffer.bytes.at(-1);
    buffer.release();
  },
  allowedNodes: ({ numa }) => numa.allowedNodes(),
  capabilities: ({ numa }) => numa.capabilities(),
  freeMemory: ({ numa }) => numa.freeMemory(0),
  'map a descriptor': ({ numa, surroundings }) => {
    const buffer = numa.map(surroundings.descriptor);
    buffer.bytes.at(-1);
    buffer.release();
  },
  'map a descriptor and forget': ({ numa, surroundings }) =>
    numa.map(surroundings.descriptor).bytes.at(-1),
  'map a file, move it, flush it': async ({ numa, surroundings }) => {
    const buffer = numa.mapFile(surroundings.file, { protection: 'write' });
    buffer.touch({ access: 'read' });
    await buffer.migrate({ to: 0 });
    await buffer.flush();
    buffer.release();
  },
  'map a file that is cut off': ({ numa, ownFile }) => {
    writeFileSync(ownFile, Buffer.alloc(LENGTH_BYTES, 1));
    const buffer = numa.mapFile(ownFile, { protection: 'write' });
    const { bytes } = buffer;
    truncateSync(ownFile, LENGTH_BYTES / 2);
    bytes.fill(2);
    if (!buffer.isTruncated() || bytes.at(-1) !== 2) throw new Error('lost pages were not seen');
    buffer.release();
    rmSync(ownFile);
  },
  openNuma: ({ facade }) => facade.openNuma({ backend: 'native' }),
  'thread policy': ({ facade, numa }) => {
    numa.thread.setPolicy(facade.preferred(0));
    numa.thread.policy();
    numa.thread.setPolicy(facade.defaultPolicy());
  },
  'thread affinity': ({ numa }) => {
    numa.thread.setAffinity(numa.thread.affinity());
    numa.thread.cpu();
  },
  'affinity for a function': ({ numa }) =>
    numa.thread.withAffinity(numa.thread.affinity(), () => numa.thread.cpu()),
  'affinity of a process': ({ numa }) => numa.process().setAffinity('all'),
  'place a worker, and end it': ({ numa }) =>
    numa.worker(EMPTY, { cpus: 'all', memoryNodes: 0 }).worker.terminate(),
  'range policy': ({ facade, buffer }) => {
    buffer.setPolicy(facade.preferred(0));
    buffer.policy();
  },
  touch: ({ buffer }) => buffer.touch(),
  populate: async ({ facade, numa }) => {
    const buffer = numa.allocate(LENGTH_BYTES, { policy: facade.bind(0) });
    await buffer.populate({ threads: 2 });
    buffer.release();
  },
  'populate and release': ({ numa }) => {
    const buffer = numa.allocate(LENGTH_BYTES);
    const populated = buffer.populate({ threads: 3 });
    buffer.release();
    return populated;
  },
  residency: ({ buffer }) => buffer.residency(),
  residencySync: ({ buffer }) => buffer.residencySync(),
  'place pages, and ask for them': async ({ buffer }) => {
    await buffer.place(new Int32Array(buffer.pageCount));
    await buffer.pageStatuses();
  },
  migrate: ({ buffer }) => buffer.migrate({ to: 0 }),
  'migrate and release': ({ numa }) => {
    const buffer = numa.allocate(LENGTH_BYTES);
    buffer.touch();
    const moved = buffer.migrate({ to: 0 });
    buffer.release();
    return moved;
  },
  'view, policy, move, release': async ({ facade, numa }) => {
    const view = numa.view(new SharedArrayBuffer(LENGTH_BYTES));
    view.setPolicy(facade.preferred(0));
    view.touch();
    await view.migrate({ to: 0 });
    view.release();
  },
  'view and forget': ({ facade, numa }) =>
    numa.view(new ArrayBuffer(LENGTH_BYTES)).setPolicy(facade.preferred(0)),
  'view of what all threads have': async ({ numa, surroundings }) => {
    const view = numa.view(surroundings.memory);
    await view.migrate({ to: 0 });
    view.release();
  },
  'migrate of a process': ({ numa }) => numa.process().migrate({ from: 0, to: 0 }),
};

/** Turns one loop for ever; only those that answer later let other turns in. */
export async function turnFacadeLoop(name: string, scene: Scene): Promise<never> {
  const turn = facadeLoops[name];
  if (turn === undefined) throw new Error(`no such loop: ${name}`);
  for (;;) {
    const answer = turn(scene);
    if (answer instanceof Promise) await answer;
  }
}
