/** What the tables of arguments share. */

import { MPOL, nodemaskWords } from '../../lib/syscalls/public.ts';
import type { World } from './world.ts';

export type Row = (world: World) => readonly unknown[];

export const NONE: Row = () => [];
export const span = ({ address }: World) => ({ address, pageCount: 2 });
export const mask = () => nodemaskWords([0]);
export const nothing = () => {};
export const noArguments = (owner: string, ...names: string[]): Record<string, Row> =>
  Object.fromEntries(names.map((name) => [`${owner}.${name}`, NONE]));

export const mbindRow: Row = ({ address }) => [
  { address, lengthBytes: 4096, mode: MPOL.BIND, nodemask: mask(), flags: 0 },
];
export const homeRow: Row = ({ address }) => [{ address, lengthBytes: 4096, node: 0, flags: 0 }];
export const setRow: Row = () => [{ mode: MPOL.BIND, nodemask: mask() }];
