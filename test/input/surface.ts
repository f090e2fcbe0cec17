/**
 * Everything public that can be called, found in the objects themselves: exports, methods,
 * accessors and constructors, each under a name such as `buffer.migrate`.
 */

import type { Numa, PiscinaLike } from '../../lib/index.ts';
import * as main from '../../lib/index.ts';
import * as simulator from '../../lib/simulator/public.ts';
import * as syscalls from '../../lib/syscalls/public.ts';
import * as testing from '../../lib/testing/public.ts';
import type { World } from './world.ts';

export interface Callable {
  readonly name: string;
  /** Names what it is called on; `undefined` for exports. */
  readonly owner: string | undefined;
  readonly kind: 'method' | 'getter' | 'setter' | 'function' | 'constructor';
  call(self: unknown, values: readonly unknown[]): unknown;
}

type AnyFunction = (this: unknown, ...values: unknown[]) => unknown;
type AnyClass = new (...values: unknown[]) => object;

const EXPORTS: Readonly<Record<string, unknown>> = {
  ...{ ...main, ...syscalls, ...simulator, ...testing },
  ...testing.matchers,
};

function isClass(value: AnyFunction): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

/** Exported functions, constructors of exported classes, and their static methods. */
export function exportedCallables(): Callable[] {
  return Object.entries(EXPORTS).flatMap(([name, value]): Callable[] => {
    if (typeof value !== 'function') return [];
    const run = value as AnyFunction;
    if (!isClass(run)) {
      return [{ name, owner: undefined, kind: 'function', call: (_, values) => run(...values) }];
    }
    const make = (_: unknown, values: readonly unknown[]) =>
      new (value as unknown as AnyClass)(...values);
    const statics = callablesOf(name, value).filter(
      ({ name: full }) => !/\.(prototype|name|length)$/.test(full),
    );
    return [
      { name: `new ${name}`, owner: undefined, kind: 'constructor', call: make },
      ...statics.map((one) => ({
        ...one,
        call: (_: unknown, values: readonly unknown[]) => one.call(value, values),
      })),
    ];
  });
}

/** Methods and accessors of an object, its own and inherited ones. */
function callablesOf(owner: string, value: object): Callable[] {
  const found = new Map<string, Callable>();
  const isEnd = (level: object) =>
    [Object.prototype, Function.prototype, Error.prototype, Error].includes(level as never);
  for (
    let level: object | null = value;
    level !== null && !isEnd(level);
    level = Object.getPrototypeOf(level)
  ) {
    for (const key of Reflect.ownKeys(level)) {
      const {
        value: method,
        get,
        set,
      } = Object.getOwnPropertyDescriptor(level, key) as PropertyDescriptor;
      const name = `${owner}.${typeof key === 'symbol' ? `[${key.description}]` : key}`;
      if (key === 'constructor' || found.has(name)) continue;
      if (typeof method === 'function') {
        found.set(name, {
          name,
          owner,
          kind: 'method',
          call: (self, values) => method.apply(self, values),
        });
      }
      if (get !== undefined) {
        found.set(name, { name, owner, kind: 'getter', call: (self) => get.call(self) });
      }
      if (set !== undefined) {
        const full = `${name}=`;
        found.set(full, {
          name: full,
          owner,
          kind: 'setter',
          call: (self, values) => set.call(self, values[0]),
        });
      }
    }
  }
  return [...found.values()];
}

const EMPTY = new URL('data:text/javascript,');

/**
 * What starts threads and processes is given a placement here: the rest of its arguments goes to
 * Node.js, and a wrong one may be a program that is started. Each gives what ends it.
 */
const PLACING: Readonly<Record<string, (numa: Numa, placement: never) => () => unknown>> = {
  'numa.worker': (numa, placement) => {
    const { worker } = numa.worker(EMPTY, placement);
    return () => worker.terminate();
  },
  'numa.spawn': (numa, placement) => {
    const { child } = numa.spawn('true', [], placement);
    return () => child.kill();
  },
  'numa.fork': (numa, placement) => {
    const { child } = numa.fork('/dev/null', [], placement, { execPath: 'true' });
    return () => child.kill();
  },
  'numa.workerPool': (numa, placement) => {
    const pool = numa.workerPool(EMPTY, placement);
    return () => pool.close();
  },
  'numa.piscinaPools': (numa, placement) => {
    const pools = numa.piscinaPools(NoPiscina, {} as never, placement);
    return () => pools.destroy();
  },
};

class NoPiscina implements PiscinaLike {
  readonly run = async (): Promise<void> => {};
  readonly close: PiscinaLike['close'] = this.run;
  readonly destroy: PiscinaLike['destroy'] = this.run;
  readonly on = (): void => {};
}

/** All that the objects of a world have. */
export function callablesIn(world: World): Callable[] {
  const all = Object.entries(world.owners).flatMap(([owner, value]) => callablesOf(owner, value));
  return all.map((one) => {
    const placing = PLACING[one.name];
    if (placing === undefined) return one;
    return { ...one, call: (self, [placement]) => placing(self as Numa, placement as never) };
  });
}
