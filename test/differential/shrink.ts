/**
 * Cuts a program down while it stays interesting. Candidates are asked for many at a time, because
 * whoever answers has to boot machines for it: so each round asks for every single simplification
 * and for many chains of them, and goes on with the smallest that is still interesting.
 */

import type { Mask, Program, Step } from './program.ts';
import { Random } from './random.ts';

/** Which of the candidates are still interesting. */
export type AskMany = (candidates: readonly Program[]) => Promise<readonly boolean[]>;

const ROUNDS_MAX = 40;
/** Most chains are short, as most long ones break what they are to keep. */
const CHAIN_LENGTHS = [2, 2, 3, 4, 6, 9, 14, 20];
const CHAINS_PER_LENGTH = 6;

function simplerMask(mask: Mask): Mask[] {
  if (mask === null || 'pointer' in mask) return [];
  const { nodes, maxnode } = mask;
  const fewer =
    nodes.length > 1
      ? nodes.map((gone) => ({ nodes: nodes.filter((node) => node !== gone), maxnode }))
      : [];
  const isPlain = maxnode === 65 || nodes.some((node) => node > 63);
  return isPlain ? fewer : [...fewer, { nodes, maxnode: 65 }];
}

/** The step with one argument made simpler, in every way known. */
function simplerSteps(step: Step): Step[] {
  const simpler: Step[] = [];
  if ('page' in step && 'pages' in step && step.pages > 1) {
    simpler.push({ ...step, pages: 1 }, { ...step, page: step.page + 1, pages: step.pages - 1 });
    simpler.push({ ...step, pages: step.pages - 1 });
  }
  if ('mask' in step) simpler.push(...simplerMask(step.mask).map((mask) => ({ ...step, mask })));
  if (step.call === 'migratePages') {
    simpler.push(...simplerMask(step.from).map((from) => ({ ...step, from })));
    simpler.push(...simplerMask(step.to).map((to) => ({ ...step, to })));
  }
  if (step.call === 'mbind' && typeof step.length === 'number' && step.length > 4096) {
    simpler.push({ ...step, length: 4096 }, { ...step, length: step.length - 4096 });
  }
  if (step.call === 'mbind' && step.flags !== 0) {
    for (let bit = 0; bit < 31; bit += 1) {
      if (step.flags & (1 << bit)) simpler.push({ ...step, flags: step.flags ^ (1 << bit) });
    }
  }
  if ('mode' in step) {
    for (const flag of [0x8000, 0x4000, 0x2000]) {
      if (step.mode > 0 && step.mode & flag) simpler.push({ ...step, mode: step.mode ^ flag });
    }
  }
  if (step.call === 'movePages' && step.list.length > 1) {
    for (const gone of step.list.keys()) {
      const list = step.list.filter((_, index) => index !== gone);
      const nodes = step.nodes?.filter((_, index) => index !== gone) ?? null;
      simpler.push({ ...step, list, nodes });
    }
    simpler.push({ ...step, list: step.list.slice(0, 1), nodes: step.nodes?.slice(0, 1) ?? null });
  }
  return simpler;
}

/** The program with one thing made simpler, in every way known. */
function simplerPrograms(program: Program): Program[] {
  const { steps } = program;
  const withSteps = (simpler: readonly Step[]): Program => ({ ...program, steps: simpler });
  const fewer = steps.length > 1 ? steps.map((gone) => steps.filter((step) => step !== gone)) : [];
  const simpler = steps.flatMap((step, index) =>
    simplerSteps(step).map((other) => steps.with(index, other)),
  );
  const programs = [...fewer, ...simpler].map(withSteps);
  if (program.shared.includes(true)) {
    programs.push({ ...program, shared: program.shared.map(() => false) });
  }
  if (program.region === 'high') programs.push({ ...program, region: 'low' });
  return programs;
}

/** A chain of simplifications; steps go more often than they change. */
function chainFrom(program: Program, random: Random, length: number): Program {
  let end = program;
  for (let link = 0; link < length; link += 1) {
    const simpler = simplerPrograms(end);
    if (simpler.length === 0) return end;
    const fewer = simpler.filter(({ steps }) => steps.length < end.steps.length);
    end = random.pick(fewer.length > 0 && random.chance(0.5) ? fewer : simpler);
  }
  return end;
}

function bitCount(value: number): number {
  return value === 0 ? 0 : (value & 1) + bitCount(value >>> 1);
}

/** Less for every simplification, though not every one makes the text shorter. */
function weight(program: Program): number {
  let sum = JSON.stringify(program).length + 2 * program.shared.filter(Boolean).length;
  for (const step of program.steps) {
    if ('pages' in step) sum += 2 * step.pages;
    if ('flags' in step) sum += bitCount(step.flags);
    if ('mode' in step) sum += bitCount(step.mode);
    if (step.call === 'mbind' && typeof step.length === 'number') sum += step.length / 4096;
  }
  return sum;
}

/**
 * The smallest program found that is still interesting: no single simplification of it is. Steps
 * behind `lastIndex` are dropped first: they came after what made it interesting.
 */
export async function shrink(program: Program, lastIndex: number, ask: AskMany): Promise<Program> {
  const random = new Random(program.seed);
  const whole = { ...program, seed: 0 };
  const cut = { ...whole, steps: program.steps.slice(0, lastIndex + 1) };
  const [isEnough] = await ask([cut]);
  let best = isEnough ? cut : whole;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const start = best;
    const chains = CHAIN_LENGTHS.flatMap((length) =>
      Array.from({ length: CHAINS_PER_LENGTH }, () => chainFrom(start, random, length)),
    );
    const candidates = [...simplerPrograms(start), ...chains];
    const answers = await ask(candidates);
    const good = candidates.filter((one, index) => answers[index] && weight(one) < weight(best));
    if (good.length === 0) return best;
    best = good.reduce((least, one) => (weight(one) < weight(least) ? one : least));
  }
  return best;
}
