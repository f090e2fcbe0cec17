/**
 * Everything public that can be called, found in the objects themselves: exports, methods,
 * accessors and constructors, each under a name such as `buffer.migrate`.
 */

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

/** All that the objects of a world have. */
export function callablesIn(world: World): Callable[] {
  return Object.entries(world.owners).flatMap(([owner, value]) => callablesOf(owner, value));
}
