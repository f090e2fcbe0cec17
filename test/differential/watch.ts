/**
 * What a step changes of its processes, in few words: the CPUs that each may run on, and the memory
 * areas of the program's region with their lines of numa_maps. In a batch the puppet makes the same
 * text (../puppet/watch_calls.c):
 *
 * `0.1/0+8:rw-p~bind:1.3~anon=4~dirty=4~N1=4/9+8:rw-s~default`
 */

import type { PageSpan } from '../../lib/backend/backend.ts';
import type { WorldProcess } from '../contract/world.ts';

/** Stands for a text that is as it was before. */
export const UNCHANGED = '=';

/** Asks for a process's text. */
export type Watch = (process: WorldProcess, region: PageSpan) => Promise<string>;

const PAGE_SIZE_BYTES = 4096n;
/** Names, what depends on reclaim, and of a pool whether anybody has ever written to the page. */
const FREE_WORDS = /^(?:file|active|kernelpagesize_kB)=/;

interface Line {
  readonly start: bigint;
  readonly rest: string;
}

function linesOf(text: string, { address, pageCount }: PageSpan): Line[] {
  const end = address + BigInt(pageCount) * PAGE_SIZE_BYTES;
  return text.split('\n').flatMap((line) => {
    const [, digits, rest] = /^([0-9a-f]+)(.*)/.exec(line) ?? [];
    const start = BigInt(`0x${digits ?? 'ffffffffffffffff'}`);
    return start >= address && start < end ? [{ start, rest: rest as string }] : [];
  });
}

function areaText({ start, rest }: Line, counts: Line | undefined, region: PageSpan): string {
  const [, digits, permissions] = /^-([0-9a-f]+) (\S+)/.exec(rest) as RegExpExecArray;
  const first = (start - region.address) / PAGE_SIZE_BYTES;
  const count = (BigInt(`0x${digits}`) - start) / PAGE_SIZE_BYTES;
  const words = (counts?.rest ?? '').split(' ').filter((word) => word !== '');
  const isOfPool = words.includes('huge');
  const kept = words.filter(
    (word) => !FREE_WORDS.test(word) && !(isOfPool && word.startsWith('dirty=')),
  );
  return [`${first}+${count}:${permissions}`, ...kept].join('~');
}

/** From the texts of /proc/PID/maps and numa_maps. */
export function watchText(
  { cpus, maps, numaMaps }: { cpus: readonly number[]; maps: string; numaMaps: string },
  region: PageSpan,
): string {
  const counts = new Map(linesOf(numaMaps, region).map((line) => [line.start, line]));
  const areas = linesOf(maps, region).map((line) => areaText(line, counts.get(line.start), region));
  return [cpus.join(), ...areas].join('/').replaceAll(',', '.');
}

async function look(process: WorldProcess, region: PageSpan): Promise<string> {
  const { files, pid } = process;
  const [cpus, maps, numaMaps] = await Promise.all([
    process.affinity(),
    files.readText(`/proc/${pid}/maps`),
    files.readText(`/proc/${pid}/numa_maps`),
  ]);
  if (!cpus.ok || !maps.ok || !numaMaps.ok) return '';
  return watchText({ cpus: cpus.value, maps: maps.value, numaMaps: numaMaps.value }, region);
}

/** By the files that each process has of itself, which are the same for everybody. */
export function watchByFiles(): Watch {
  const told = new Map<number, string>();
  return async (process, region) => {
    const text = await look(process, region);
    const isTold = told.get(process.pid) === text;
    told.set(process.pid, text);
    return isTold ? UNCHANGED : text;
  };
}
