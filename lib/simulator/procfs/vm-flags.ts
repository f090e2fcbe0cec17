/**
 * The attributes of a mapping in two letters each, as far as the model knows them.
 *
 * Source: proc_pid_smaps(5); fs/proc/task_mmu.c, show_smap_vma_flags(): in the order of the bits.
 */

import type { AddressSpace } from '../memory/address-space.ts';
import { hasFlag, isAccounted, isHugetlb, VM, type Vma } from '../memory/vma.ts';
import { kernelPart, programPart } from './maps.ts';

/** Without the newline; the blank at its end is the kernel's. */
export function vmFlagsLine(space: AddressSpace, vma: Vma): string {
  const words = FLAGS.filter(([, has]) => has(vma, space)).map(([word]) => `${word} `);
  return `VmFlags: ${words.join('')}`;
}

type HasFlag = (vma: Vma, space: AddressSpace) => boolean;

const always: HasFlag = () => true;
const withBit =
  (bit: number): HasFlag =>
  (vma) =>
    hasFlag(vma, bit);

const isOfKernel: HasFlag = (vma, space) => kernelPart(space, vma) !== null;
const isVvar: HasFlag = (vma, space) => kernelPart(space, vma) === 'vvar';
const isVdso: HasFlag = (vma, space) => kernelPart(space, vma) === 'vdso';
const isStack: HasFlag = (vma, space) => programPart(space, vma) === 'stack';
const isSecret: HasFlag = ({ object }) => object?.kind.isReachable === false;
/** Pages that a driver put in one by one. */
const isRing: HasFlag = (vma) => hasFlag(vma, VM.MIXEDMAP) && !hasFlag(vma, VM.IO);
const isNotDumped = withBit(VM.DONTDUMP);
/** Memory that no page of the machine is behind. */
const isFrames: HasFlag = (vma) =>
  hasFlag(vma, VM.IO) && (vma.object === null || vma.object.path !== null);

const isPromised: HasFlag = (vma, { memory }) => isAccounted(vma, memory.facts);

const FLAGS: readonly (readonly [string, HasFlag])[] = [
  ['rd', ({ access }) => access === 'read' || access === 'write'],
  ['wr', ({ access }) => access === 'write' || access === 'write-only'],
  ['ex', isVdso],
  ['sh', withBit(VM.SHARED)],
  ['mr', always],
  ['mw', (vma, space) => !isVvar(vma, space)],
  ['me', (vma, space) => ![isVvar, isSecret, isRing].some((is) => is(vma, space))],
  ['ms', withBit(VM.SHARED)],
  ['gd', isStack],
  ['pf', isFrames],
  ['lo', withBit(VM.LOCKED)],
  ['io', withBit(VM.IO)],
  ['sr', withBit(VM.SEQ_READ)],
  ['rr', withBit(VM.RAND_READ)],
  ['dc', withBit(VM.DONTCOPY)],
  ['de', (vma, space) => [isOfKernel, isFrames, isHugetlb].some((is) => is(vma, space))],
  ['ac', isPromised],
  ['ht', isHugetlb],
  ['dd', (vma, space) => [isVvar, isFrames, isSecret, isNotDumped].some((is) => is(vma, space))],
  ['sd', (vma, space) => !isStack(vma, space)],
  ['mm', withBit(VM.MIXEDMAP)],
  ['hg', withBit(VM.HUGEPAGE)],
  ['nh', withBit(VM.NOHUGEPAGE)],
  ['mg', withBit(VM.MERGEABLE)],
];
