/**
 * The first line of every answer: whose it is.
 */

import type { BackendInfo } from '../../facade/numa.ts';
import type { Colours } from './colours.ts';
import { visible } from './visible.ts';

export function backendLine({ kind, kernel, reason }: BackendInfo, colours: Colours): string {
  const who = kind === 'simulator' ? colours.warning('simulator') : kind;
  return `${who}, Linux ${visible(kernel)} ${colours.dim(visible(`(${reason})`))}`;
}
