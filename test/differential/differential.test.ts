/** The harness itself: programs repeat, shrink and compare as they should; no guest needed. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { scaledTimeoutMs } from '../support/environment.ts';
import { readOutcome, scriptOf } from './batch.ts';
import { differencesOf, normalised } from './compare.ts';
import { generateProgram } from './generate.ts';
import { classify } from './known-differences.ts';
import type { Outcome, StepOutcome } from './outcome.ts';
import { type Program, REGION_PAGES, type Step } from './program.ts';
import { Random } from './random.ts';
import { runPrograms } from './run-programs.ts';
import type { Feature } from './scene.ts';
import { shrink } from './shrink.ts';

const EVERYTHING: ReadonlySet<Feature> = new Set();
const CORPUS = new URL('./corpus/', import.meta.url);

function programs(count: number, first = 1): Program[] {
  return Array.from({ length: count }, (_, index) => generateProgram(first + index, EVERYTHING));
}

function programOf(...steps: Step[]): Program {
  return { seed: 0, region: 'low', shared: [false, false, false, false], steps };
}

function outcomeOf(...steps: StepOutcome[]): Outcome {
  return { steps, last: {} };
}

function corpus(): Program[] {
  const names = readdirSync(CORPUS).filter((name) => name.endsWith('.json'));
  return names.map((name) => JSON.parse(readFileSync(new URL(name, CORPUS), 'utf8')) as Program);
}

describe('generated programs', () => {
  test('a seed is a program, for ever', () => {
    expect(programs(50)).toEqual(programs(50));
    const random = new Random(7);
    const numbers = Array.from({ length: 3 }, () => random.between(0, 999_999));
    expect(numbers).toMatchInlineSnapshot(`
      [
        80342,
        403681,
        838986,
      ]
    `);
  });

  test('neighbouring seeds differ', () => {
    const texts = programs(300).map(({ steps }) => JSON.stringify(steps));
    expect(new Set(texts).size).toBe(300);
  });

  test('they have 5 to 30 steps and stay in the region', () => {
    for (const { steps } of programs(300)) {
      expect(steps.length).toBeGreaterThanOrEqual(5);
      expect(steps.length).toBeLessThanOrEqual(30);
      for (const step of steps) {
        if (!('page' in step)) continue;
        expect(step.page).toBeGreaterThanOrEqual(-1);
        expect(step.page).toBeLessThan(REGION_PAGES);
      }
    }
  });

  test('every call appears, and a feature that is left out does not', () => {
    const without = new Set<Feature>(['prot-none', 'balancing', 'weighted-interleave']);
    const all = programs(300).flatMap(({ steps }) => steps);
    expect(new Set(all.map(({ call }) => call)).size).toBe(19);
    const fewer = Array.from({ length: 300 }, (_, seed) => generateProgram(seed, without));
    const text = JSON.stringify(fewer);
    expect(text).not.toContain('"access":"none"');
    const modes = fewer.flatMap(({ steps }) =>
      steps.flatMap((step) => ('mode' in step ? [step.mode] : [])),
    );
    const valid = modes.filter((mode) => mode > 0 && mode < 0xffff && (mode & 0xfff) < 7);
    expect(valid.filter((mode) => (mode & 0xfff) === 6 || (mode & 0x2000) !== 0)).toEqual([]);
  });
});

describe('programs with groups', () => {
  const all = Array.from({ length: 300 }, (_, seed) => generateProgram(seed, EVERYTHING, 'v2'));

  test('every call appears, most groups are used, and children inherit what is held', () => {
    const steps = all.flatMap((program) => program.steps);
    expect(new Set(steps.map(({ call }) => call)).size).toBe(23);
    const joined = all.filter(({ steps: own }) => own.some(({ call }) => call === 'joinGroup'));
    expect(joined.length).toBeGreaterThan(200);
    const inheriting = all.filter(({ steps: own }) => {
      const holders = new Set<number>();
      return own.some(({ call, process }) => {
        if (call === 'pin' || call === 'register') holders.add(process);
        return call === 'fork' && holders.has(process);
      });
    });
    expect(inheriting.length).toBeGreaterThan(30);
  });

  test('their groups are the keeper’s to change', async () => {
    const program: Program = {
      ...programOf(
        { process: 0, call: 'mmap', page: 0, pages: 1 },
        { process: 0, call: 'setMems', group: 0, nodes: '1-2' },
        { process: 0, call: 'joinGroup', group: 'root', target: 0 },
        { process: 0, call: 'register', pin: 0, page: 0, pages: 1 },
      ),
      groups: { kind: 'v2', count: 1 },
    };
    const script = await scriptOf(program);
    expect(script.filter((line) => !line.includes('move_pages'))).toMatchInlineSnapshot(`
      [
        "15 make_group 0 v2",
        "0 mmap 0x10000000000 4096 private 3",
        "0 watch 0x10000000000 147456",
        "15 set_mems 0 1-2",
        "0 watch 0x10000000000 147456",
        "15 join_group root 1000000000",
        "0 get_mempolicy 0x0 0x0 0x401 buffer mode",
        "0 watch 0x10000000000 147456",
        "0 register_buffer 1099511627776 4096 100",
        "0 watch 0x10000000000 147456",
        "0 watch 0x10000000000 147456",
        "0 exit",
      ]
    `);
  });
});

describe('scripts', () => {
  const pinned = programOf(
    { process: 0, call: 'mmap', page: 0, pages: 1 },
    { process: 0, call: 'fork', child: 1 },
    { process: 1, call: 'pin', pin: 0, page: 0, pages: 1 },
    { process: 1, call: 'unpin', pin: 0 },
    { process: 0, call: 'movePages', target: 1, list: [0], nodes: null, flags: 0 },
  );

  test('name processes and pins that do not exist yet', async () => {
    expect(await scriptOf(pinned)).toMatchInlineSnapshot(`
      [
        "0 mmap 0x10000000000 4096 private 3",
        "0 watch 0x10000000000 147456",
        "0 fork 1",
        "0 watch 0x10000000000 147456",
        "1 watch 0x10000000000 147456",
        "1 pin 0x10000000000 4096 100",
        "1 watch 0x10000000000 147456",
        "1 unpin 100",
        "1 watch 0x10000000000 147456",
        "0 move_pages 1000000001 1 0x10000000000 null all:-9999 0",
        "0 watch 0x10000000000 147456",
        "1 watch 0x10000000000 147456",
        "0 move_pages 0 36 span:0x10000000000 null all:-9999 0",
        "0 watch 0x10000000000 147456",
        "1 move_pages 0 36 span:0x10000000000 null all:-9999 0",
        "1 watch 0x10000000000 147456",
        "1 exit",
        "0 exit",
      ]
    `);
  });

  test('give an outcome with their replies; what follows from a failure is not asked', async () => {
    const own = '0/0+1:rw-p~default';
    const replies = ['0x10000000000', own, '1 1000000001', '=', own, '!14', '=', '!9', '='];
    const question = ['0 0', '=', '='];
    const ends = ['0 0,-14*35', '=', '0 -14*36', `${own}~anon=1`];
    const line = [...replies, ...question, ...ends, '0', '0'].join(';');
    const { steps, last } = await readOutcome(pinned, line);
    expect(steps).toEqual([
      { errno: 0, watched: { 0: own } },
      { errno: 0, watched: { 1: own } },
      { errno: 14 },
      { isSkipped: true },
      { errno: 0, value: 0, status: [0] },
    ]);
    expect(Object.keys(last)).toEqual(['0', '1']);
    expect(last['0']).toBe('0'.padEnd(36, '.'));
    expect(last['1']).toBe(`${'.'.repeat(36)} ${own}~anon=1`);
  });
});

describe('comparing', () => {
  const migrate: Step = { process: 0, call: 'migratePages', target: 'self', from: null, to: null };

  test('what is free does not differ, what is promised does', () => {
    const program = programOf(migrate);
    const left = outcomeOf({ errno: 0, value: 17, pages: '11' });
    const right = outcomeOf({ errno: 0, value: 3, pages: '11' });
    expect(differencesOf(program, left, right)).toEqual([]);
    const moved = outcomeOf({ errno: 0, value: 3, pages: '12' });
    expect(differencesOf(program, left, moved)).toMatchObject([{ index: 0, fields: ['pages'] }]);
  });

  test('nothing is compared after a node was full', () => {
    const program = programOf(migrate, migrate);
    const left = outcomeOf({ errno: 12, pages: '01' }, { errno: 0, pages: '01' });
    const right = outcomeOf({ errno: 12, pages: '11' }, { errno: 0, pages: '11' });
    expect(differencesOf(program, left, right)).toEqual([]);
  });

  test('normalising twice changes nothing more', async () => {
    const list = programs(20);
    for (const [index, outcome] of (await runPrograms(list)).entries()) {
      expect(normalised(list[index] as Program, outcome)).toEqual(outcome);
    }
  });

  test('a known difference has its name, between the releases that it parts', () => {
    const list: Step = {
      process: 0,
      call: 'movePages',
      target: 'self',
      list: [0],
      nodes: null,
      flags: 0,
    };
    const older = outcomeOf({ errno: 0, value: 0, status: [-14] });
    const newer = outcomeOf({ errno: 0, value: 0, status: [-2] });
    const told = classify(programOf(list), older, newer, { a: '6.1.0', b: '6.12.1' });
    expect(told.known).toEqual(['untouched-anonymous-status']);
    expect(told.first).toBeUndefined();
    const unexplained = classify(programOf(list), older, newer, { a: '6.12.1', b: '6.18.0' });
    expect(unexplained.first?.fields).toEqual(['status']);
  });
});

describe('shrinking', () => {
  test('keeps what makes a program interesting, and little else', async () => {
    const interesting = ({ steps }: Program): boolean => {
      const bind = steps.findIndex((step) => step.call === 'mbind' && (step.flags & 2) !== 0);
      return bind >= 0 && steps.slice(bind).some((step) => step.call === 'fork');
    };
    const found = programs(400).filter(interesting);
    expect(found.length).toBeGreaterThan(10);
    for (const program of found.slice(0, 10)) {
      const small = await shrink(program, program.steps.length, async (candidates) =>
        candidates.map(interesting),
      );
      expect(small.steps.map(({ call }) => call)).toEqual(['mbind', 'fork']);
      expect(small.steps[0]).toMatchObject({ flags: 2 });
    }
  });
});

describe('on this kernel', () => {
  test('the same programs do the same twice', { timeout: scaledTimeoutMs(30_000) }, async () => {
    // Groups are made in guests alone.
    const list = [...programs(60), ...corpus().filter(({ groups }) => groups === undefined)];
    const first = await runPrograms(list);
    const second = await runPrograms(list);
    for (const [index, outcome] of first.entries()) {
      const program = list[index] as Program;
      const found = differencesOf(program, outcome, second[index] as Outcome);
      expect(found, `seed ${program.seed}`).toEqual([]);
    }
  });
});
