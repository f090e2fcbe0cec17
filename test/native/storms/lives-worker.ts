/** A worker with memory of each kind, and with moves and loops under way until it is ended. */

import { workerData } from 'node:worker_threads';
import type { RangeMemory } from '../../../lib/facade/buffer/range-memory.ts';
import { LENGTH_BYTES, type Scene, type Surroundings, turnFacadeLoop } from './facade-loops.ts';
import { loadFacade } from './storm.ts';

export interface LivesWorkerData {
  readonly surroundings: Surroundings;
  readonly ownFile: string;
  /** Of facade-loops.ts, side by side. */
  readonly loops: readonly string[];
  /** Set to 1 once all of it is under way. */
  readonly ready: Int32Array;
}

const { surroundings, ownFile, loops, ready } = workerData as LivesWorkerData;
const facade = await loadFacade();
const numa = facade.openNuma({ backend: 'native' });
const scene: Scene = {
  ...{ facade, numa, surroundings, ownFile },
  buffer: numa.allocate(LENGTH_BYTES, { policy: facade.preferred(0) }),
};
const kept = memoryOfEachKind();
for (const memory of kept) void memory.migrate({ to: 0 });
void scene.buffer.populate();
Atomics.store(ready, 0, 1);
await Promise.all(loops.map((name) => turnFacadeLoop(name, scene)));

/** Nothing of it is ever released. */
function memoryOfEachKind(): RangeMemory[] {
  const policy = facade.bind(0);
  const own = [
    scene.buffer,
    numa.allocate(LENGTH_BYTES, { hugePages: 'transparent', policy }),
    numa.allocate(LENGTH_BYTES, { shared: true, policy }),
    numa.allocate(LENGTH_BYTES, { sharedArrayBuffer: true, policy }),
  ];
  for (const { bytes } of own) bytes.fill(1);
  const view = numa.view(new SharedArrayBuffer(LENGTH_BYTES));
  view.setPolicy(policy);
  view.touch();
  const others = [
    numa.attach(surroundings.handle),
    numa.map(surroundings.descriptor),
    numa.mapFile(surroundings.file),
  ];
  for (const { bytes } of others) bytes.at(-1);
  return [...own, view, ...others, numa.view(surroundings.memory)];
}
