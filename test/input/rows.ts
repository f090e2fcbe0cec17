/** What the tables of arguments share. */

import { type ArgumentKind, methodOf, NUMA_CALLS, policyCalls } from '../../lib/core/calls.ts';
import { MPOL, nodemaskWords } from '../../lib/syscalls/public.ts';
import type { World } from './world.ts';

export type Row = (world: World) => readonly unknown[];

export const NONE: Row = () => [];
export const span = ({ address }: World) => ({ address, pageCount: 2 });
export const mask = () => nodemaskWords([0]);
export const nothing = () => {};
export const noArguments = (owner: string, ...names: string[]): Record<string, Row> =>
  Object.fromEntries(names.map((name) => [`${owner}.${name}`, NONE]));

const OF_KIND: Readonly<Record<ArgumentKind, (world: World) => unknown>> = {
  address: ({ address }) => address,
  length: () => 4096,
  int: () => MPOL.BIND,
  mask,
  flags: () => 0,
  long: () => 0,
};

/** Of the calls that set a policy, default all. */
export const policyRows = (owner: string, calls = policyCalls): Record<string, Row> =>
  Object.fromEntries(
    calls.map((call) => {
      const takes = Object.entries(NUMA_CALLS[call].takes);
      const row: Row = (world) => [
        Object.fromEntries(takes.map(([name, kind]) => [name, OF_KIND[kind](world)])),
      ];
      return [`${owner}.${methodOf(call)}`, row];
    }),
  );
