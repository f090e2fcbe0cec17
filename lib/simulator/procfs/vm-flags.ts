/**
 * The attributes of a mapping in two letters each, as far as the model knows them.
 *
 * Source: proc_pid_smaps(5); fs/proc/task_mmu.c, show_smap_vma_flags(): in the order of the bits.
 */

import type { Mm } from '../memory/mm.ts';
import { hasFlag, isAccounted, isHugetlb, VM, type Vma } from '../memory/vma.ts';
import { kernelPart, programPart } from './maps.ts';

/** Without the newline; the blank at its end is the kernel's. */
export function vmFlagsLine(mm: Mm, vma: Vma): string {
  const words = FLAGS.filter(([, has]) => has(vma, mm)).map(([word]) => `${word} `);
  return `VmFlags: ${words.join('')}`;
}

type HasFlag = (vma: Vma, mm: Mm) => boolean;

const always: HasFlag = () => true;
const withBit =
  (bit: number): HasFlag =>
  (vma) =>
    hasFlag(vma, bit);

const isOfKernel: HasFlag = (vma, mm) => kernelPart(mm, vma) !== null;
const isVvar: HasFlag = (vma, mm) => kernelPart(mm, vma) === 'vvar';
const isVdso: HasFlag = (vma, mm) => kernelPart(mm, vma) === 'vdso';
const isStack: HasFlag = (vma, mm) => programPart(mm, vma) === 'stack';
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
  ['mw', (vma, mm) => !isVvar(vma, mm)],
  ['me', (vma, mm) => ![isVvar, isSecret, isRing].some((is) => is(vma, mm))],
  ['ms', withBit(VM.SHARED)],
  ['gd', isStack],
  ['pf', isFrames],
  ['lo', withBit(VM.LOCKED)],
  ['io', withBit(VM.IO)],
  ['sr', withBit(VM.SEQ_READ)],
  ['rr', withBit(VM.RAND_READ)],
  ['dc', withBit(VM.DONTCOPY)],
  ['de', (vma, mm) => [isOfKernel, isFrames, isHugetlb].some((is) => is(vma, mm))],
  ['ac', isPromised],
  ['ht', isHugetlb],
  ['wf', withBit(VM.WIPEONFORK)],
  ['dd', (vma, mm) => [isVvar, isFrames, isSecret, isNotDumped].some((is) => is(vma, mm))],
  ['sd', (vma, mm) => !isStack(vma, mm)],
  ['mm', withBit(VM.MIXEDMAP)],
  ['hg', withBit(VM.HUGEPAGE)],
  ['nh', withBit(VM.NOHUGEPAGE)],
  ['mg', withBit(VM.MERGEABLE)],
];
