/**
 * /proc/PID/maps: a line for each mapping.
 *
 * Source: proc_pid_maps(5); fs/proc/task_mmu.c, show_map_vma().
 */

/** One mapping: a VMA. */
export interface MapsEntry {
  readonly start: bigint;
  /** First address behind it. */
  readonly end: bigint;
  /** `rwxp`; the last letter is `s` for shared mappings. */
  readonly permissions: string;
  /** Bytes into the file. */
  readonly offset: bigint;
  readonly inode: number;
  /** Path of the file, or the kernel's word in brackets: `[heap]`. `null`: anonymous memory. */
  readonly name: string | null;
  /** The file has no name any more. */
  readonly isDeleted: boolean;
}

const LINE =
  /^([0-9a-f]+)-([0-9a-f]+) ([-rwxps]{4}) ([0-9a-f]+) [0-9a-f]+:[0-9a-f]+ (\d+)(?: *| +(.*))$/s;
const DELETED = ' (deleted)';

export function parseMaps(text: string): MapsEntry[] {
  const entries: MapsEntry[] = [];
  for (const line of text.split('\n')) {
    const entry = parseMapsLine(line);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

/** `null` for what is no such line. The first line of each part of smaps is one, too. */
export function parseMapsLine(line: string): MapsEntry | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const [, start, end, permissions, offset, inode, shown = ''] = match;
  const isDeleted = shown.endsWith(DELETED);
  const name = isDeleted ? shown.slice(0, -DELETED.length) : shown;
  return {
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
    permissions: permissions as string,
    offset: BigInt(`0x${offset}`),
    inode: Number(inode),
    // A new line is the only character that the kernel escapes here.
    name: name === '' ? null : name.replaceAll('\\012', '\n'),
    isDeleted,
  };
}
