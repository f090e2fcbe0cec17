/**
 * What a program has in memory before its first own mapping: a heap and a stack, and what the
 * kernel maps into each process.
 *
 * Source: fs/binfmt_elf.c, load_elf_binary(); arch/x86/entry/vdso/vma.c, map_vdso().
 *
 * Deviation: the program's own code and libraries are not there.
 */

import { type Toucher, touchPages } from '../memory/fault.ts';
import { allocateFolio, type Memory } from '../memory/memory.ts';
import { MemoryObject } from '../memory/memory-object.ts';
import { DEVICE } from '../memory/page-entry.ts';
import { NO_ANON, VM, type Vma, type VmaAccess } from '../memory/vma.ts';

const HEAP = 0x5555_5556_0000;
const HEAP_BYTES = 0x2_1000;
const STACK_END = 0x7fff_ffff_f000;
const STACK_BYTES = 0x2_1000;
const VVAR = 0x7fff_f7fb_e000;
const VVAR_PAGES = 4;
const VDSO_PAGES = 2;

/** Makes the pages that all processes have of the kernel; before the first process. */
export function makeKernelPages(memory: Memory): void {
  const { vvarHasPages } = memory.facts;
  memory.kernelPages = {
    vdso: kernelObject(memory, VDSO_PAGES),
    vvar: vvarHasPages ? kernelObject(memory, VVAR_PAGES) : null,
  };
}

function kernelObject(memory: Memory, sizePages: number): MemoryObject {
  const sizeBytes = sizePages * memory.pageSizeBytes;
  const kind = { type: 'driver', inode: 0, path: null } as const;
  const object = new MemoryObject({ ...kind, sizePages, sizeBytes });
  object.users = 1;
  for (let index = 0; index < sizePages; index += 1) {
    const folioId = allocateFolio(memory, 'object', memory.zeroPageNode, { object, index });
    object.pages.set(index, folioId);
  }
  return object;
}

/** Fills the thread's fresh address space. */
export function loadProgram(thread: Toucher): void {
  const { mm } = thread;
  const { pageSizeBytes, kernelPages } = mm.memory;
  const pagesOf = (bytes: number): number => Math.floor(bytes / pageSizeBytes);
  const heap = { start: pagesOf(HEAP), end: pagesOf(HEAP + HEAP_BYTES) };
  const stack = { start: pagesOf(STACK_END - STACK_BYTES), end: pagesOf(STACK_END) };
  const vvar = { start: pagesOf(VVAR), pageCount: VVAR_PAGES };
  const vdso = { start: vvar.start + VVAR_PAGES, pageCount: VDSO_PAGES };
  const stackPage = stack.end - 1;
  mm.program = { heap, stackPage, vdso, vvar };
  for (const range of [heap, stack]) mm.map(area(range, 'write', 0, null));
  const vvarObject = kernelPages?.vvar ?? null;
  const vvarFlags = VM.SPECIAL | VM.IO | (vvarObject === null ? 0 : VM.MIXEDMAP);
  mm.map(area(ended(vvar), 'read', vvarFlags, vvarObject));
  mm.map(area(ended(vdso), 'read', VM.SPECIAL, kernelPages?.vdso ?? null));
  if (vvarObject === null) mm.pages.fill(vvar.start, vvar.start + VVAR_PAGES, DEVICE);
  touchPages(thread, heap.start, heap.start + 1, 'write');
  touchPages(thread, stackPage, stackPage + 1, 'write');
}

function ended({ start, pageCount }: { start: number; pageCount: number }): Range {
  return { start, end: start + pageCount };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function area(
  { start, end }: Range,
  access: VmaAccess,
  flags: number,
  object: MemoryObject | null,
): Vma {
  const offset = object === null ? start : 0;
  return { start, end, access, flags, object, offset, policy: null, ...NO_ANON };
}
