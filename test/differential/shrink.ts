/**
 * Cuts a program down while it stays interesting. Candidates are asked for many at a time, because
 * whoever answers may have to boot a machine for it.
 */

import type { Mask, Program, Step } from './program.ts';

/** Which of the candidates are still interesting. */
export type AskMany = (candidates: readonly Program[]) => Promise<readonly boolean[]>;

const ROUNDS_MAX = 12;

function withSteps(program: Program, steps: readonly Step[]): Program {
  return { ...program, seed: 0, steps };
}

/** Without each part of the steps of a size, from the end. */
function withoutParts(program: Program, size: number): Program[] {
  const { steps } = program;
  const candidates: Program[] = [];
  for (let start = Math.max(0, steps.length - size); ; start = Math.max(0, start - size)) {
    candidates.push(withSteps(program, [...steps.slice(0, start), ...steps.slice(start + size)]));
    if (start === 0) return candidates;
  }
}

/** Removes every part that can go alone, together where that works. */
async function dropParts(program: Program, size: number, ask: AskMany): Promise<Program> {
  const candidates = withoutParts(program, size);
  const answers = await ask(candidates);
  const good = candidates.filter((_, index) => answers[index]);
  if (good.length < 2) return good[0] ?? program;
  const removable = new Set(
    good.flatMap((one) => program.steps.filter((s) => !one.steps.includes(s))),
  );
  // Growing sets of removals: the largest that works wins.
  const removals = [...removable].reverse();
  const unions = removals.map((_, index) => {
    const gone = new Set(removals.slice(0, index + 1));
    return withSteps(
      program,
      program.steps.filter((step) => !gone.has(step)),
    );
  });
  const works = await ask(unions);
  return unions.findLast((_, index) => works[index]) ?? (good[0] as Program);
}

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
  if ('pages' in step && step.pages > 1) {
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
    for (const flag of [1, 2, 4])
      if (step.flags & flag) simpler.push({ ...step, flags: step.flags ^ flag });
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

function weight(program: Program): number {
  return JSON.stringify(program).length;
}

/** One round of simpler arguments: the best choice of each step, together where that works. */
async function simplify(program: Program, ask: AskMany): Promise<Program> {
  const choices = program.steps.flatMap((step, index) =>
    simplerSteps(step).map((simpler) => ({ index, simpler })),
  );
  const replaced = (picked: readonly { index: number; simpler: Step }[]): Program => {
    const steps = [...program.steps];
    for (const { index, simpler } of picked) steps[index] = simpler;
    return withSteps(program, steps);
  };
  const shared = program.shared.includes(true)
    ? [{ ...program, seed: 0, shared: program.shared.map(() => false) }]
    : [];
  const low: Program[] = program.region === 'high' ? [{ ...program, seed: 0, region: 'low' }] : [];
  const candidates = [...choices.map((choice) => replaced([choice])), ...shared, ...low];
  if (candidates.length === 0) return program;
  const answers = await ask(candidates);
  const other = candidates.slice(choices.length).find((_, i) => answers[choices.length + i]);
  if (other !== undefined) return other;
  const best = new Map<number, { index: number; simpler: Step }>();
  for (const [number, choice] of choices.entries()) {
    const known = best.get(choice.index);
    const isBetter = known === undefined || weight(replaced([choice])) < weight(replaced([known]));
    if (answers[number] && isBetter) best.set(choice.index, choice);
  }
  const picked = [...best.values()];
  if (picked.length === 0) return program;
  if (picked.length === 1) return replaced(picked);
  const unions = picked.map((_, index) => replaced(picked.slice(0, index + 1)));
  const works = await ask(unions);
  return unions.findLast((_, index) => works[index]) ?? program;
}

/**
 * The smallest program found that is still interesting. Steps behind `lastIndex` are dropped
 * first: they came after what made it interesting.
 */
export async function shrink(program: Program, lastIndex: number, ask: AskMany): Promise<Program> {
  const cut = withSteps(program, program.steps.slice(0, lastIndex + 1));
  const [isEnough] = await ask([cut]);
  let best = isEnough ? cut : withSteps(program, program.steps);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = best;
    for (let size = Math.ceil(best.steps.length / 4); size > 1 && round === 0; size >>= 1) {
      best = await dropParts(best, size, ask);
    }
    if (best.steps.length > 1) best = await dropParts(best, 1, ask);
    best = await simplify(best, ask);
    if (best === before) return best;
  }
  return best;
}
