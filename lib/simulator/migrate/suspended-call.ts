/**
 * A call that goes on one step at a time, or to its end in one go.
 *
 * Source: kernel/sched/core.c: what a task does between two points where others may run.
 */

import type { MigrationEvent } from '../interface/migration-event.ts';
import type { Folio } from '../memory/folio.ts';
import type { InFlight, StepReport, Steps, Suspended } from '../memory/in-flight.ts';

export class SuspendedCall<T> implements Suspended {
  readonly isolated: Set<Folio> = new Set();
  readonly #inFlight: InFlight;
  readonly #steps: Steps<T>;
  readonly #number: number;
  readonly #endStepping: () => void;
  #waitsFor: Folio | null = null;
  #ended: { readonly value: T } | null = null;

  constructor(inFlight: InFlight, steps: Steps<T>) {
    this.#inFlight = inFlight;
    this.#steps = steps;
    this.#number = inFlight.nextCall();
    this.#endStepping = inFlight.stepBy();
    inFlight.calls.add(this);
  }

  get isEnded(): boolean {
    return this.#ended !== null;
  }

  /** What it answered; undefined before its end. */
  get value(): T | undefined {
    return this.#ended?.value;
  }

  /** The next step; undefined once the call has ended. */
  step(): MigrationEvent | undefined {
    if (this.isEnded) return undefined;
    const inFlight = this.#inFlight;
    if (inFlight.atomic !== this) inFlight.leaveAtomic();
    const report = this.#next();
    if (inFlight.atomic === this) inFlight.atomic = null;
    if (report === undefined) return undefined;
    const { waitsFor = null, ...rest } = report;
    this.#waitsFor = waitsFor;
    if (rest.isAtomic === true) inFlight.atomic = this;
    return inFlight.tell(this.#number, rest);
  }

  #next(): StepReport | undefined {
    const before = this.#inFlight.current;
    this.#inFlight.current = this;
    try {
      const { done, value } = this.#steps.next();
      if (done !== true) return value;
      this.#end(value);
      return undefined;
    } finally {
      this.#inFlight.current = before;
    }
  }

  #end(value: T): void {
    this.#ended = { value };
    this.#inFlight.calls.delete(this);
    this.#endStepping();
  }

  /** Where it waits for somebody, they go on first. */
  goOn(): void {
    const folio = this.#waitsFor;
    this.#waitsFor = null;
    if (folio !== null) this.#inFlight.waitUnlocked(folio);
    this.step();
  }

  /** Goes on to the end. */
  run(): T {
    while (this.#ended === null) this.goOn();
    return this.#ended.value;
  }
}

/** Does all steps of a call: between them nobody acts but who looks on. */
export function finish<T>(inFlight: InFlight, steps: Steps<T>): T {
  inFlight.leaveAtomic();
  if (inFlight.isStepped) return new SuspendedCall(inFlight, steps).run();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
