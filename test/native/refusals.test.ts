/**
 * The addon where memory ends: each thing that it asks for is refused, in a process of its own, and
 * what is left behind is looked at. See refusals.cc, workers/refusals.mjs.
 */

import { execFile } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { scaledTimeoutMs } from '../support/environment.ts';

const WORKER = fileURLToPath(new URL('workers/refusals.mjs', import.meta.url));
const LIBRARY = fileURLToPath(new URL('../../build/Release/refusals.node', import.meta.url));
const { ENOMEM } = constants.errno;

interface Released {
  readonly refusals: number;
  /** The different bytes that are at the addresses; none where nothing is mapped. */
  readonly afterRelease: readonly number[];
  readonly afterCollection: readonly number[];
}

interface Copied {
  readonly refusals: number;
  readonly errno: number;
  readonly isIntact: boolean;
  readonly grownBytes: number;
}

interface Report {
  readonly loading: readonly string[];
  readonly mmap: { readonly errnos: readonly number[]; readonly grownBytes: number };
  readonly allocations: Readonly<Record<string, readonly number[]>>;
  readonly stateIsAsBefore: boolean;
  readonly statusIsCollected: boolean;
  readonly refusedMapping: { readonly answer: object; readonly grownBytes: number };
  readonly limit: Released;
  readonly noHole: Released;
  readonly hole: Released;
  readonly takenHole: Released;
  readonly unmapping: readonly boolean[];
  readonly copies: readonly Copied[];
  readonly keptCopies: readonly Copied[];
  readonly unswapped: Copied;
  readonly copyBack: Copied;
  readonly longer: readonly Omit<Copied, 'refusals'>[];
  readonly shorter: readonly Omit<Copied, 'refusals'>[];
}

// Arenas of other threads would look like memory that was not given back.
const env = { ...process.env, LD_PRELOAD: LIBRARY, GLIBC_TUNABLES: 'glibc.malloc.arena_max=1' };

let report: Report;
beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER], { env });
  report = JSON.parse(stdout);
}, scaledTimeoutMs(30_000));

describe('a refused allocation', () => {
  it('while the addon is loaded is an error, and loading works later', () => {
    expect(report.loading.length).toBeGreaterThan(0);
    expect(new Set(report.loading)).toEqual(new Set(['not enough memory to load the addon']));
  });

  it('is ENOMEM in each entry', () => {
    for (const [name, errnos] of Object.entries(report.allocations)) {
      expect(errnos.length, name).toBeGreaterThan(0);
      expect(new Set(errnos), name).toEqual(new Set([ENOMEM]));
    }
  });

  it('in mmap leaves nothing mapped', () => {
    expect(report.mmap.errnos.length).toBeGreaterThan(3);
    expect(new Set(report.mmap.errnos)).toEqual(new Set([ENOMEM]));
    expect(report.mmap.grownBytes).toBeLessThan(2 ** 20);
  });

  it('in execve leaves signals, descriptors and limits as they were', () => {
    expect(report.stateIsAsBefore).toBe(true);
  });

  it('in move_pages_async does not keep the array of the call', () => {
    expect(report.statusIsCollected).toBe(true);
  });
});

describe('a refused system call', () => {
  it('leaves nothing of a mapping that was half made', () => {
    expect(report.refusedMapping.answer).toMatchObject({ ok: false, errno: ENOMEM });
    expect(report.refusedMapping.grownBytes).toBeLessThan(2 ** 20);
  });

  it('of munmap is made good when a neighbour goes', () => {
    expect(report.unmapping).toEqual([false, false, false, false]);
  });
});

describe('a release whose fresh mapping is refused', () => {
  it('at the limit on mappings gives the memory back at once, the addresses later', () => {
    expect(report.limit).toEqual({ refusals: 1, afterRelease: [0], afterCollection: [] });
  });

  it('fills the hole that the kernel has left', () => {
    expect(report.hole).toEqual({ refusals: 1, afterRelease: [0], afterCollection: [] });
  });

  it('never touches what another thread has mapped into the hole', () => {
    expect(report.takenHole).toEqual({
      refusals: 1,
      afterRelease: [0x5a],
      afterCollection: [0x5a],
    });
  });

  it('gives the memory back where nobody can tell whose the addresses are, and keeps those', () => {
    expect(report.noHole).toEqual({ refusals: 1, afterRelease: [0], afterCollection: [0] });
  });
});

describe('a resize that is refused any of its system calls', () => {
  it.each(['longer', 'shorter'] as const)('has lost no byte, to be %s', (name) => {
    const seen = report[name];
    expect(seen.filter(({ errno }) => errno === ENOMEM).length).toBeGreaterThan(5);
    for (const [index, { errno, isIntact, grownBytes }] of seen.entries()) {
      expect([0, ENOMEM], `call ${index}`).toContain(errno);
      expect(isIntact, `call ${index}`).toBe(true);
      // Memory that is elsewhere has addresses before it, so that huge pages stay whole.
      expect(grownBytes, `call ${index}`).toBeLessThan(errno === 0 ? 2 ** 22 : 2 ** 20);
    }
  });
});

describe('a move by copies that is refused', () => {
  it('any of its system calls tells of it, and has lost no byte and left nothing mapped', () => {
    expect(report.copies.length).toBeGreaterThan(10);
    for (const [index, { errno, isIntact, grownBytes }] of report.copies.entries()) {
      expect({ errno, isIntact }, `call ${index}`).toEqual({ errno: ENOMEM, isIntact: true });
      expect(grownBytes, `call ${index}`).toBeLessThan(2 ** 20);
    }
  });

  it('any of them, with huge pages that are kept for the next, has lost no byte either', () => {
    expect(report.keptCopies.length).toBeGreaterThan(report.copies.length);
    for (const [index, { errno, isIntact, grownBytes }] of report.keptCopies.entries()) {
      // Pages that cannot be kept are no reason to stop.
      expect([0, ENOMEM], `call ${index}`).toContain(errno);
      expect(isIntact, `call ${index}`).toBe(true);
      expect(grownBytes, `call ${index}`).toBeLessThan(2 ** 20);
    }
  });

  it('the swap leaves the old pages', () => {
    expect(report.unswapped).toMatchObject({ refusals: 1, errno: ENOMEM, isIntact: true });
  });

  it('the swap when the old pages have gone has the copies in their place', () => {
    expect(report.copyBack).toMatchObject({ refusals: 1, errno: ENOMEM, isIntact: true });
  });

  it('the swap when somebody else has their addresses ends the process', async () => {
    const run = promisify(execFile)(process.execPath, [WORKER, 'lost'], { env });
    const failure: { signal?: string; stderr?: string } = await run.catch((error) => error);
    expect(failure.signal).toBe('SIGABRT');
    expect(failure.stderr).toContain('memory was lost while it moved');
  });
});
