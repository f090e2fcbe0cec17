/**
 * What a process holds of pages beside mapping them: a pipe's references, a registered buffer's
 * pins. A child inherits the descriptor; pages are let go of with the last.
 *
 * Source: fs/splice.c, vmsplice_to_pipe(); io_uring/rsrc.c; mm/gup.c.
 */

import { freeIfUnused, type Memory } from '../memory/memory.ts';

export interface Reference {
  /** `reference`: FOLL_GET. `pin`: FOLL_PIN | FOLL_LONGTERM. */
  readonly kind: 'reference' | 'pin';
  /** None once they have been given up. */
  folioIds: readonly number[];
  /** Processes that have the descriptor. */
  holders: number;
}

/** Takes a reference to each folio, once for each time that it is named. */
export function takeReference(
  { folios }: Memory,
  kind: Reference['kind'],
  folioIds: readonly number[],
): Reference {
  for (const folioId of folioIds) {
    const folio = folios.get(folioId);
    if (kind === 'pin') folio.pins += 1;
    else folio.references += 1;
  }
  return { kind, folioIds, holders: 1 };
}

/** Ends one holder's share; the last gives the pages up. */
export function releaseReference(memory: Memory, reference: Reference): void {
  reference.holders -= 1;
  if (reference.holders === 0) giveUpPages(memory, reference);
}

/** Lets go of the pages, whoever has a descriptor. */
export function giveUpPages(memory: Memory, reference: Reference): void {
  const { kind, folioIds } = reference;
  reference.folioIds = [];
  for (const folioId of folioIds) {
    const folio = memory.folios.get(folioId);
    if (kind === 'pin') folio.pins -= 1;
    else folio.references -= 1;
    freeIfUnused(memory, folioId);
  }
}
