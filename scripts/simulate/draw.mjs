// @ts-check
// A step as a line, and as a screen.

import { eventLine } from 'node-numa/simulator';
import { describe } from './play.mjs';

/** @typedef {import('./play.mjs').Frame} Frame */
/** @typedef {import('./play.mjs').Play} Play */

/** Steps around the present one that are listed. */
const around = 6;

/** @param {Frame} frame */
export function drawLine({ event, pages }) {
  if (event !== null) return eventLine(event);
  return pages.map(({ pid, state }) => `       process ${pid}: ${describe(state)}`).join('\n');
}

/**
 * @param {Play} play
 * @param {number} at
 * @param {number} width columns
 * @returns {string[]}
 */
export function drawFrame({ title, frames, verdict }, at, width) {
  const frame = /** @type {Frame} */ (frames[at]);
  const first = Math.max(0, Math.min(at - around, frames.length - 2 * around - 1));
  const listed = frames.slice(first, first + 2 * around + 1).map((one, index) => {
    const mark = first + index === at ? '>' : ' ';
    const text = one.event === null ? 'before the first step' : stepText(one.event);
    return `${mark} ${text}`;
  });
  const lines = [
    ...title,
    '',
    ...listed,
    '',
    ...frame.pages.map(({ pid, state }) => `  process ${pid}  ${entryText(state)}`),
    ...folioLines(frame),
    `  free pages  ${frame.nodes.map(({ node, freePages }) => `${node}: ${freePages}`).join('  ')}`,
    '',
    at === frames.length - 1 ? verdict : '',
    `step ${at} of ${frames.length - 1}   -> next   <- back   home, end   q: leave`,
  ];
  return lines.map((line) => (line.length > width ? `${line.slice(0, width - 1)}~` : line));
}

/** @param {NonNullable<Frame['event']>} event */
function stepText({ step, mode, pass, note }) {
  const round = mode === null ? '' : `${mode}${pass === null ? '' : ` ${pass}`}`;
  return `${step.padEnd(17)}${round.padEnd(9)}${note}`;
}

/** @param {import('node-numa/simulator').PageState} state */
function entryText(state) {
  if (state.entry === 'migration') {
    return `migration entry: an access would wait for folio #${state.folio?.folio}`;
  }
  return describe(state);
}

/** @param {Frame} frame */
function folioLines({ event, pages }) {
  /** @type {string[]} */
  const lines = [];
  const known = pages.map(({ state }) => state.folio).find((folio) => folio !== null);
  for (const [name, folio] of /** @type {const} */ ([
    ['source', event?.source ?? null],
    ['target', event?.target ?? null],
  ])) {
    if (folio === null) continue;
    const details = known?.folio === folio.folio ? known : null;
    const lock = details === null ? '' : `, ${details.list}${details.isLocked ? ', locked' : ''}`;
    const size = folio.pageCount === 1 ? '' : ` (${folio.pageCount} pages)`;
    const { node, mapCount } = folio;
    lines.push(`  ${name}     #${folio.folio}${size} on node ${node}, mapped ${mapCount}${lock}`);
  }
  return lines;
}
