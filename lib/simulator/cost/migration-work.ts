/**
 * What migrations have done, as counts: the part of their cost that no machine changes.
 *
 * Source: mm/migrate.c, migrate_pages_batch(); mm/mempolicy.c, queue_pages_range().
 */

import type { MigrationKind, MigrationWork } from '../interface/costs.ts';
import { NodePairs } from './node-pairs.ts';

/** All kinds, in the order in which they are told. */
export const MIGRATION_KINDS: readonly MigrationKind[] = [
  'move_pages',
  'mbind',
  'migrate_pages',
  'query',
  'kernel',
];

/** The work of migrations while it is counted. */
export class MigrationCounts implements MigrationWork {
  calls = 0;
  addresses = 0;
  walkedEntries = 0;
  folios = 0;
  entries = 0;
  flushes = 0;
  shootdowns = 0;
  interrupts = 0;
  /** Bytes by the node that they left and the one that they reached. */
  readonly copied: NodePairs = new NodePairs();

  get bytes(): number {
    return this.copied.total;
  }

  snapshot(): MigrationWork {
    const { copied, ...counts } = this;
    return { ...counts, bytes: copied.total };
  }
}
