/**
 * /proc/PID/maps: a line for each mapping.
 *
 * Source: proc_pid_maps(5); fs/proc/task_mmu.c, show_map_vma() and get_vma_name().
 *
 * Deviation: numbers of devices stand for a kind of file system, not for one that is mounted.
 */

import type { PageSpan } from '../../backend/backend.ts';
import type { MemoryObject } from '../memory/memory-object.ts';
import type { Mm } from '../memory/mm.ts';
import { hasFlag, VM, type Vma, type VmaAccess } from '../memory/vma.ts';
import { addressOf, pageOf } from '../syscalls/range-argument.ts';
import { hexAddress, linesText } from './text-layout.ts';

const NAME_COLUMN = 72;

const ACCESS_LETTERS: Readonly<Record<VmaAccess, string>> = {
  none: '--',
  read: 'r-',
  write: 'rw',
  'write-only': '-w',
};

const NO_DEVICE = '00:00';

export function mapsText(mm: Mm): string {
  return linesText([...mm.vmas].map((vma) => mapsLine(mm, vma)));
}

/** The mapped parts of a range, cut to it. */
export function mappedParts({ vmas, memory }: Mm, span: PageSpan): PageSpan[] {
  const first = pageOf(span.address, memory.pageSizeBytes);
  return vmas.within(first, first + span.pageCount).map(({ start, end }) => ({
    address: addressOf(start, memory.pageSizeBytes),
    pageCount: end - start,
  }));
}

/** Without the newline. */
export function mapsLine(mm: Mm, vma: Vma): string {
  const { pageSizeBytes } = mm.memory;
  const { object } = vma;
  const file = isFile(object) ? object : null;
  const [start, end] = [vma.start, vma.end].map((page) =>
    hexAddress(addressOf(page, pageSizeBytes)),
  );
  const offset = hexAddress(file === null ? 0n : addressOf(vma.offset, pageSizeBytes));
  const device = file === null ? NO_DEVICE : file.kind.device;
  const words = [`${start}-${end}`, permissions(mm, vma), offset, device, file?.inode ?? 0];
  const head = `${words.join(' ')} `;
  const name = nameOf(mm, vma);
  return name === null ? head : `${head.padEnd(NAME_COLUMN)} ${name}`;
}

/** Whether a mapping is in the area that the kernel calls the heap, or holds the stack's start. */
export function programPart({ program }: Mm, vma: Vma): 'heap' | 'stack' | null {
  if (vma.object !== null || program === null) return null;
  const { heap, stackPage } = program;
  if (vma.start < heap.end && vma.end > heap.start) return 'heap';
  return vma.start <= stackPage && stackPage <= vma.end ? 'stack' : null;
}

/** The kernel's own objects have no file. */
function isFile(object: MemoryObject | null): object is MemoryObject & { readonly path: string } {
  return object !== null && object.path !== null;
}

function nameOf(mm: Mm, vma: Vma): string | null {
  if (isFile(vma.object)) return vma.object.path.replaceAll('\n', '\\012');
  const part = programPart(mm, vma) ?? kernelPart(mm, vma);
  return part === null ? null : `[${part}]`;
}

/** What the kernel maps into each process. */
export function kernelPart({ program }: Mm, vma: Vma): 'vdso' | 'vvar' | null {
  if (!hasFlag(vma, VM.SPECIAL) || program === null) return null;
  return vma.start === program.vdso.start ? 'vdso' : 'vvar';
}

function permissions(mm: Mm, vma: Vma): string {
  const execute = kernelPart(mm, vma) === 'vdso' ? 'x' : '-';
  return `${ACCESS_LETTERS[vma.access]}${execute}${hasFlag(vma, VM.SHARED) ? 's' : 'p'}`;
}
