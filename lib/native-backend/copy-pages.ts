/** The addon's move by copies, as backends answer: what ended it early lies beside the rest. */

import type { CopiedPages, CopyPagesRequest } from '../backend/backend.ts';
import { check } from '../backend/requests.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import type { Addon } from './addon.ts';

export async function askForCopies(
  addon: Addon,
  request: CopyPagesRequest,
): Promise<SyscallResult<CopiedPages>> {
  const checked = check.copyPages(request, 'request');
  const { mapping, offsetBytes, lengthBytes, node, cpus, mode, nodemask, advice, mayKeep } =
    checked;
  const { words, maxnode } = nodemask ?? { words: null, maxnode: 0 };
  const where = [mapping, offsetBytes, lengthBytes, node, cpus] as const;
  const copied = await addon.copy_pages_async(
    ...where,
    mode,
    words,
    maxnode,
    advice,
    mayKeep ? 1 : 0,
  );
  if (!copied.ok) return copied;
  const { errno, syscall, ...copies } = copied.value;
  const stop = errno === 0 ? undefined : ({ ok: false, errno, syscall } as const);
  return { ok: true, value: { ...copies, stop } };
}
