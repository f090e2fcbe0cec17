/** Loops over the facade, which call the addon as programs do. */

import type { MappedBuffer, MappingHandle, Numa } from '../../../lib/index.ts';
import { type Facade, loadFacade } from './storm.ts';

interface Scene {
  readonly facade: Facade;
  readonly numa: Numa;
  readonly buffer: MappedBuffer;
  /** A buffer of the thread that started this one. */
  readonly handle: MappingHandle;
}

const LENGTH_BYTES = 64 * 1024;
const EMPTY = new URL('data:text/javascript,');

/** One turn of each loop. */
export const facadeLoops: Readonly<Record<string, (scene: Scene) => unknown>> = {
  'allocate, bytes, release': ({ numa }) => {
    const buffer = numa.allocate(LENGTH_BYTES);
    buffer.bytes.fill(1);
    buffer.release();
  },
  'allocate and forget': ({ numa }) => numa.allocate(LENGTH_BYTES).bytes.length,
  'attach, bytes, release': ({ numa, handle }) => {
    const buffer = numa.attach(handle);
    buffer.bytes.at(-1);
    buffer.release();
  },
  allowedNodes: ({ numa }) => numa.allowedNodes(),
  capabilities: ({ numa }) => numa.capabilities(),
  freeMemory: ({ numa }) => numa.freeMemory(0),
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
  residency: ({ buffer }) => buffer.residency(),
  residencySync: ({ buffer }) => buffer.residencySync(),
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
  'migrate of a process': ({ numa }) => numa.process().migrate({ from: 0, to: 0 }),
};

/** Turns one loop for ever; only those that answer later let other turns in. */
export async function turnFacadeLoop(
  name: string,
  handle: MappingHandle,
  onReady: () => void,
): Promise<never> {
  const turn = facadeLoops[name];
  if (turn === undefined) throw new Error(`no such loop: ${name}`);
  const facade = await loadFacade();
  const numa = facade.openNuma({ backend: 'native' });
  const scene = { facade, numa, buffer: numa.allocate(LENGTH_BYTES), handle };
  onReady();
  for (;;) {
    const answer = turn(scene);
    if (answer instanceof Promise) await answer;
  }
}
