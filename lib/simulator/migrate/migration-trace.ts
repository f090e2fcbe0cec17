/**
 * The steps of a machine's migrations, kept while somebody looks on: to be asserted on, printed, or
 * written to a file.
 */

import { type Check, members, nullable, text, whole } from '../../core/call-arguments.ts';
import type { FolioState, MigrationEvent } from '../interface/migration-event.ts';
import type { InFlight } from '../memory/in-flight.ts';

/** An event as JSON has it: addresses are text such as `0x7f0000000000`. */
export interface MigrationEventJson extends Omit<MigrationEvent, 'address'> {
  readonly address: string | null;
}

export interface MigrationTraceJson {
  readonly format: 'node-numa-migration-trace';
  readonly version: 1;
  readonly kernel: string;
  readonly pageSizeBytes: number;
  readonly events: readonly MigrationEventJson[];
}

/** What a trace knows of its machine. */
export interface TraceHeader {
  readonly kernel: string;
  readonly pageSizeBytes: number;
}

/** The longest name of a step, and a blank. */
export const STEP_COLUMNS = 17;

export class MigrationTrace {
  readonly #events: MigrationEvent[] = [];
  readonly #header: TraceHeader;
  readonly #stop: () => void;

  constructor(inFlight: InFlight, header: TraceHeader) {
    this.#header = header;
    const listener = (event: MigrationEvent): void => void this.#events.push(event);
    inFlight.listeners.add(listener);
    const endStepping = inFlight.stepBy();
    this.#stop = () => {
      inFlight.listeners.delete(listener);
      endStepping();
    };
  }

  /** From the first to the last, as they happened. */
  get events(): readonly MigrationEvent[] {
    return this.#events;
  }

  /** Ends the recording; what was recorded stays. Idempotent. */
  stop(): void {
    this.#stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** A line for each event. */
  toString(): string {
    return this.#events.map(eventLine).join('\n');
  }

  toJSON(): MigrationTraceJson {
    const events = this.#events.map(({ address, ...event }) => ({
      ...event,
      address: address === null ? null : `0x${address.toString(16)}`,
    }));
    return { format: 'node-numa-migration-trace', version: 1, ...this.#header, events };
  }
}

const folio: Check<Pick<FolioState, 'folio' | 'node' | 'pageCount' | 'mapCount'>> = members({
  folio: whole,
  node: whole,
  pageCount: whole,
  mapCount: whole,
});

/** What a line tells. */
const checkEvent = members({
  ...{ index: whole, call: whole, step: text, mode: nullable(text), pass: nullable(whole) },
  ...{ source: nullable(folio), target: nullable(folio), note: text },
});

/** One event as a line of text. @throws TypeError for what is none */
export function eventLine(event: MigrationEvent): string {
  const { index, call, step, mode, pass, source, target, note } = checkEvent(event, 'event');
  const round = mode === null ? '' : pass === null ? mode : `${mode} ${pass}`;
  const from = source === null ? '' : folioText(source);
  const to = target === null ? '' : ` -> ${folioText(target)}`;
  const head = `${String(index).padStart(5)}  call ${call}  ${step.padEnd(STEP_COLUMNS)}`;
  return `${head} ${round.padEnd(8)} ${from}${to}${note === '' ? '' : `  ${note}`}`.trimEnd();
}

function folioText({
  folio: id,
  node,
  pageCount,
  mapCount,
}: Pick<FolioState, 'folio' | 'node' | 'pageCount' | 'mapCount'>): string {
  const size = pageCount === 1 ? '' : ` x${pageCount}`;
  return `#${id}${size} on node ${node}, mapped ${mapCount}`;
}
