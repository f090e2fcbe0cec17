/**
 * Which way a range is to move, decided from what the caller promises, whose memory it is and what
 * it is backed by. Pure: the words that explain the choice come with it.
 *
 * The kernel moves any page, whoever uses it. A copy that takes the pages' place needs no call that
 * containers refuse; but what is written to the old pages while the copy is made is lost, and what
 * a device does with them, too.
 */

import { invalidArgumentValue } from '../../core/argument-errors.ts';
import { checkBoolean, checkWord } from '../../core/check-arguments.ts';

/** Who uses the range while it moves. */
export type MoveConcurrency = 'live' | 'readers' | 'quiesced';

/** `kernel`: move_pages or mbind. `copy`: copies on the target that take the pages' place. */
export type MoveWay = 'auto' | 'kernel' | 'copy';

/** What the caller answers for, and wishes. */
export interface MovePromise {
  /**
   * Who uses the range while it moves: `live` (default) anybody in any way; `readers`: it is only
   * read, by threads and by the kernel; `quiesced`: nobody uses it. With one of the latter, and
   * `mayBePinned: false`, pages may be copied: what is written meanwhile would be lost.
   */
  readonly concurrency?: MoveConcurrency;
  /** Whether a device may have pages of the range: direct I/O, io_uring's registered buffers, RDMA,
   *  GPUs. Default true: nobody can tell from outside. */
  readonly mayBePinned?: boolean;
  /** Default `auto`: the kernel, and copies where its calls are refused and they are sound
   *  (`plan()` tells which and why); `kernel`, `copy`: this one or none. */
  readonly way?: MoveWay;
}

/** @internal */
export const PROMISE_NAMES = ['concurrency', 'mayBePinned', 'way'] as const;

/** @internal Members may be there, and undefined. */
type AsGiven<T> = { readonly [Name in keyof T]: T[Name] | undefined };

export type CheckedPromise = Required<MovePromise>;

/** @internal What is known of the memory. */
export interface CopyFacts {
  /** Why copies cannot take its pages' place; `null` where they can. */
  readonly obstacle: string | null;
}

/** The ways, the best first, and why. */
export interface ChosenWays {
  readonly ways: readonly ('kernel' | 'copy')[];
  readonly reason: string;
}

/**
 * @internal The members of the options, with their defaults.
 * @param isShared pages that other processes map are to move, too
 * @throws TypeError; also for copies of what may be written, pinned or shared meanwhile
 */
export function checkPromise(asked: AsGiven<MovePromise>, isShared: boolean): CheckedPromise {
  const { concurrency = 'live', mayBePinned = true, way = 'auto' } = asked;
  checkWord(concurrency, 'options.concurrency', ['live', 'readers', 'quiesced']);
  checkBoolean(mayBePinned, 'options.mayBePinned');
  checkWord(way, 'options.way', ['auto', 'kernel', 'copy']);
  const promise = { concurrency, mayBePinned, way };
  const lack = way === 'copy' ? lackOf(promise, isShared) : null;
  if (lack === null) return promise;
  throw invalidArgumentValue('options.way', `cannot be 'copy': ${lack}`, way);
}

/** What is missing for a copy to be sound; `null` for nothing. */
function lackOf({ concurrency, mayBePinned }: MovePromise, isShared: boolean): string | null {
  if (concurrency === 'live') {
    return (
      'what is written to a part while its copy is made would be lost; ' +
      "promise that nobody writes: concurrency 'readers' or 'quiesced'"
    );
  }
  if (mayBePinned === true) {
    return (
      'what a device does with the old pages would be lost, and nobody sees that it has them; ' +
      'promise that none has: mayBePinned false'
    );
  }
  if (isShared) return 'pages that other processes map cannot be replaced: leave includeShared out';
  return null;
}

/** @internal Whether facts about the memory decide anything. */
export function asksForCopy(promise: CheckedPromise, isShared: boolean): boolean {
  return promise.way !== 'kernel' && lackOf(promise, isShared) === null;
}

/** @internal @param facts absent where `asksForCopy` says that they decide nothing */
export function chooseWays(promise: CheckedPromise, facts: CopyFacts | undefined): ChosenWays {
  const { way, concurrency, mayBePinned } = promise;
  if (way === 'kernel') return { ways: ['kernel'], reason: 'the kernel moves: asked for' };
  if (facts === undefined) {
    const may =
      concurrency === 'live' ? 'written meanwhile' : mayBePinned ? 'pinned' : 'mapped by others';
    return { ways: ['kernel'], reason: `the kernel moves: the range may be ${may}` };
  }
  const { obstacle } = facts;
  if (obstacle !== null) return { ways: ['kernel'], reason: `the kernel moves: ${obstacle}` };
  if (way === 'copy') return { ways: ['copy'], reason: 'copies take their place: asked for' };
  return {
    ways: ['kernel', 'copy'],
    reason: 'the kernel moves as long as its calls are not refused; copies do then',
  };
}
