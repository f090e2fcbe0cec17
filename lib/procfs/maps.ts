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
  /** Major number of the file's device: 0 for what no disk holds, pseudo files of the kernel among
   *  it. */
  readonly deviceMajor: number;
  readonly inode: number;
  /** Path of the file, or the kernel's word in brackets: `[heap]`. `null`: anonymous memory. */
  readonly name: string | null;
  /** The file has no name any more. */
  readonly isDeleted: boolean;
}

const LINE =
  /^([0-9a-f]+)-([0-9a-f]+) ([-rwxps]{4}) ([0-9a-f]+) ([0-9a-f]+):[0-9a-f]+ (\d+)(?: *| +(.*))$/s;
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
  const [, start, end, permissions, offset, major, inode, shown = ''] = match;
  const { name, isDeleted } = fileName(shown);
  return {
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
    permissions: permissions as string,
    offset: BigInt(`0x${offset}`),
    deviceMajor: Number.parseInt(major as string, 16),
    inode: Number(inode),
    // A new line is the only character that the kernel escapes here.
    name: name === null ? null : name.replaceAll('\\012', '\n'),
    isDeleted,
  };
}

/** What the kernel shows of a file. One that is really named so looks deleted: nobody can tell. */
export function fileName(shown: string | null): Pick<MapsEntry, 'name' | 'isDeleted'> {
  if (shown === null || shown === '') return { name: null, isDeleted: false };
  const isDeleted = shown.endsWith(DELETED);
  return { name: isDeleted ? shown.slice(0, -DELETED.length) : shown, isDeleted };
}
