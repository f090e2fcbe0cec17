/**
 * A process as it is at one moment: where its memory is, its mappings and its threads, of files
 * that are each read once.
 *
 * Source: numa(7), numa_maps; proc_pid_smaps(5); proc_pid_task(5). The kernel tells no two files
 * together: they are read one behind the other, as fast as they come.
 */

import { checkOptions, checkSignal } from '../../core/check-arguments.ts';
import { parseMaps } from '../../procfs/maps.ts';
import { parseNumaMaps } from '../../procfs/numa-maps.ts';
import { parseSmaps } from '../../procfs/smaps.ts';
import type { Context } from '../context.ts';
import { checkFilters, type MappingFilters } from './mapping-filter.ts';
import {
  checkSameProcess,
  type ProcessFiles,
  readProcessFile,
  readProcessStat,
} from './process-files.ts';
import { joinMappings, type ProcessMapping } from './process-mappings.ts';
import { type ProcessResidency, sumResidency } from './process-residency.ts';
import { type ProcessThread, readThreads } from './process-threads.ts';

export interface SnapshotOptions {
  /** Which mappings to tell of; default all. Without any, `[]`, it takes half the time. */
  readonly mappings?: MappingFilters;
  /** Ends the look with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A process at one moment. */
export interface ProcessSnapshot {
  readonly pid: number;
  /** Where all of its memory is. */
  readonly residency: ProcessResidency;
  /** Those that were asked for, ascending; their pages are among those of `residency`. */
  readonly mappings: readonly ProcessMapping[];
  /** Its threads, and where each ran last. */
  readonly threads: readonly ProcessThread[];
}

/** @throws TypeError, RangeError; NumaError as `readProcessFile`, `checkSameProcess` */
export async function takeSnapshot(
  context: Context,
  process: ProcessFiles,
  options: SnapshotOptions | undefined,
): Promise<ProcessSnapshot> {
  const { signal, mappings } = checkOptions(options, 'options', ['mappings', 'signal']);
  const { isNone, test } = checkFilters(mappings, 'options.mappings', context);
  const files = { ...process, signal: checkSignal(signal, 'options.signal') };
  const before = await readProcessStat(files);
  const numaMaps = parseNumaMaps(await readProcessFile(files, 'numa_maps'));
  // Both tell what is mapped where; smaps looks at every page for what else it tells.
  const smaps = isNone ? [] : parseSmaps(await readProcessFile(files, 'smaps'));
  const maps = isNone ? parseMaps(await readProcessFile(files, 'maps')) : smaps;
  const threads = await readThreads(files, context.topology);
  await checkSameProcess(files, before);
  return Object.freeze({
    pid: files.pid,
    residency: sumResidency(files, numaMaps, maps),
    mappings: joinMappings(smaps, numaMaps, files.backend.pageSizeBytes).filter(test),
    threads,
  });
}
