/**
 * What this process was started with and Node has covered up: the bytes of its words, descriptors
 * that its parent meant for it, the limit on descriptors.
 *
 * Source: Node.js, src/node.cc: InitializeOncePerProcess() marks what it inherits as
 * close-on-exec and raises the soft limit of RLIMIT_NOFILE.
 */

import { fstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { type Limit, parseLimits } from '../../procfs/limits.ts';

const STANDARD_COUNT = 3;
const REPLACEMENT_CHARACTER = '\ufffd';

/**
 * The last words of the command line as the kernel holds them: Node reads them as UTF-8, which
 * file names need not be.
 */
export function rawWords(words: readonly string[]): Uint8Array[] {
  const decoded = words.map((word) => Buffer.from(word));
  if (!words.some((word) => word.includes(REPLACEMENT_CHARACTER))) return decoded;
  const all = readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
  const last = all.slice(-words.length).map((word) => Buffer.from(word, 'latin1'));
  return last.every((word, at) => word.toString() === words[at]) ? last : decoded;
}

/** What a descriptor is, as far as it matters here. */
interface Descriptor {
  readonly number: number;
  readonly target: string;
  readonly stats: Stats;
}

/**
 * Open descriptors that came from the parent (of a shell's `3<file`, of a service manager's
 * sockets). Node's own are polls and events, pipes with both ends here, the null device and
 * terminals.
 */
export function inheritedDescriptors(): number[] {
  const open = openDescriptors();
  return open
    .filter(({ stats, target }) => {
      if (stats.isFIFO()) return open.filter((other) => other.target === target).length === 1;
      return stats.isFile() || stats.isDirectory() || stats.isSocket() || stats.isBlockDevice();
    })
    .map(({ number }) => number);
}

function openDescriptors(): Descriptor[] {
  const folder = '/proc/self/fd';
  return readdirSync(folder)
    .map(Number)
    .filter((number) => number >= STANDARD_COUNT)
    .flatMap((number) => {
      try {
        return [{ number, target: readlinkSync(`${folder}/${number}`), stats: fstatSync(number) }];
      } catch {
        // The descriptor that read the folder is closed by now.
        return [];
      }
    });
}

/**
 * The soft limit of descriptors before Node raised it, which nobody keeps: the parent's, of which
 * it was inherited, where both have one hard limit; else `undefined`.
 */
export function descriptorsMaxBefore(parent: number = process.ppid): number | undefined {
  const own = descriptorLimits('self');
  const before = descriptorLimits(parent);
  if (own === undefined || before === undefined || own.hard !== before.hard) return undefined;
  return before.soft < own.soft ? before.soft : undefined;
}

function descriptorLimits(process: number | 'self'): Limit | undefined {
  try {
    return parseLimits(readFileSync(`/proc/${process}/limits`, 'utf8')).get('Max open files');
  } catch {
    // Another user's process, or one outside of this pid namespace.
    return undefined;
  }
}
