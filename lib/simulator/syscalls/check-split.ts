/**
 * Whether a mapping may be cut where a change of a part begins and ends.
 *
 * Source: mm/vma.c, __split_vma(); mm/hugetlb.c, hugetlb_vm_op_split(); mm/mmap.c,
 * special_mapping_split().
 */

import { ERRNO } from '../../core/errno.ts';
import type { Mm } from '../memory/mm.ts';
import { hasFlag, isHugetlb, VM, type Vma } from '../memory/vma.ts';

/** `vm.max_map_count`. */
export const MAX_MAP_COUNT = 65_530;

/**
 * 0, EINVAL for what cannot be cut, or ENOMEM for too many mappings. Where there may be one more
 * and not two, the cut at the beginning is made, and stays.
 */
export function checkSplit(mm: Mm, part: Vma): number {
  const splits = mm.vmas.splitsFor(part.start, part.end);
  if (splits === 0) return 0;
  if (!canCut(mm, part)) return ERRNO.EINVAL;
  if (mm.vmas.count + splits <= MAX_MAP_COUNT) return 0;
  if (splits === 2 && mm.vmas.count < MAX_MAP_COUNT) mm.vmas.cut(part.start);
  return ERRNO.ENOMEM;
}

/** Whether the part's ends are places where its mapping may be cut. */
export function canCut({ memory: { tablePages }, vmas }: Mm, part: Vma): boolean {
  if (vmas.splitsFor(part.start, part.end) === 0) return true;
  if (hasFlag(part, VM.SPECIAL)) return false;
  const isAligned = part.start % tablePages === 0 && part.end % tablePages === 0;
  return !isHugetlb(part) || isAligned;
}
