/**
 * One moment of a scenario as a screen: the steps around it, and what a page is just then.
 */

import type { Frame, Play } from '../../services/scenario/play.ts';
import type { MigrationEvent } from '../../simulator/interface/migration-event.ts';
import type { PageState } from '../../simulator/interface/simulated-process.ts';
import { STEP_COLUMNS } from '../../simulator/migrate/migration-trace.ts';
import type { Colours } from './colours.ts';
import { outcomeText, stepText, wrap } from './scenario-text.ts';
import { cutEnd } from './table.ts';
import { visible } from './visible.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Moments that are listed, the present one in their midst: no more, and no fewer. */
const LISTED_MAX = 13;
const LISTED_MIN = 3;
const ROUND_COLUMNS = 9;
const KEYS = '-> next  <- back  home, end  q: leave';
const KEYS_NARROW = '-> <- home end q';
const NARROW = 60;

export function drawFrame(play: Play, at: number, size: ScreenSize, colours: Colours): string[] {
  const { columns, rows } = size;
  const { frames, scenario, machine } = play;
  const frame = frames[at] as Frame;
  const isLast = at === frames.length - 1;
  const title = visible(`${scenario.name} (Linux ${machine.kernel}, ${machine.description.name})`);
  const below = [
    ...frame.pages.map(({ process, pid, state }) => `${process} (${pid}): ${entryText(state)}`),
    ...folioLines(frame),
    `free pages  ${frame.freePages.map(({ node, count }) => `${node}: ${count}`).join('  ')}`,
    ...(isLast ? verdict(play) : []),
  ].flatMap((line) => wrap(line, columns));
  const above = [colours.heading(cutEnd(title, columns)), ...wrap(scenario.summary, columns)];
  const keys = columns < NARROW ? KEYS_NARROW : KEYS;
  const footer = colours.dim(cutEnd(`${at} of ${frames.length - 1}  ${keys}`, columns));
  const present = wrap(momentText(play, frame), columns - 2);
  const spare = rows - above.length - below.length - present.length - 5;
  const around = Math.max(LISTED_MIN, Math.min(LISTED_MAX, spare + 1));
  const first = Math.max(0, Math.min(at - Math.floor(around / 2), frames.length - around));
  const listed = frames.slice(first, first + around).flatMap((one, index) => {
    if (first + index !== at) return [`  ${cutEnd(momentText(play, one), columns - 2)}`];
    return present.map((line, row) => colours.heading(`${row === 0 ? '>' : ' '} ${line}`));
  });
  return [...above, '', ...listed, '', ...below, '', footer];
}

/** What happened just before. */
function momentText({ outcomes, scenario }: Play, { stepIndex, event }: Frame): string {
  if (event !== null) return `   ${eventText(event)}`;
  const step = scenario.steps[stepIndex];
  const outcome = outcomes[stepIndex];
  if (step === undefined || outcome === undefined) return 'before the first step';
  return `${stepIndex + 1} ${stepText(step)}: ${outcomeText(outcome)}`;
}

function eventText({ step, mode, pass, note }: MigrationEvent): string {
  const round = mode === null ? '' : `${mode}${pass === null ? '' : ` ${pass}`}`;
  return `${step.padEnd(STEP_COLUMNS)}${round.padEnd(ROUND_COLUMNS)}${note}`.trimEnd();
}

/** A page in a few words. */
function entryText({ entry, folio }: PageState): string {
  if (entry === 'migration') {
    return `migration entry: an access would wait for folio #${folio?.folio}`;
  }
  if (folio === null) return entry;
  const number = folio.folio < 0 ? '' : ` #${folio.folio}`;
  return `${entry}${number} on node ${folio.node}`;
}

function folioLines({ event, pages }: Frame): string[] {
  const known = pages.map(({ state }) => state.folio).find((folio) => folio !== null);
  const folios = [
    ['source', event?.source ?? null],
    ['target', event?.target ?? null],
  ] as const;
  return folios.flatMap(([name, folio]) => {
    if (folio === null) return [];
    const details = known?.folio === folio.folio ? known : null;
    const lock = details === null ? '' : `, ${details.list}${details.isLocked ? ', locked' : ''}`;
    const size = folio.pageCount === 1 ? '' : ` (${folio.pageCount} pages)`;
    return [
      `${name} #${folio.folio}${size} on node ${folio.node}, mapped ${folio.mapCount}${lock}`,
    ];
  });
}

function verdict({ differences }: Play): readonly string[] {
  return differences.length === 0 ? ['all as expected'] : differences;
}
