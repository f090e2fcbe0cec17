/**
 * Signals that end the program. Nobody listens for them but while there is something to say or to
 * put back: the kernel ends a program by itself, however busy it is, and whoever waits for it sees
 * by what signal.
 *
 * Source: signal(7); Node.js API documentation, "Signal events": a listener takes the place of the
 * end, and is called only once the running JavaScript returns.
 */

/** Ctrl-C, kill, and a terminal that is gone. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type Interrupt = (typeof SIGNALS)[number];

/** What of the process this needs. */
export interface SignalSource {
  on(signal: Interrupt, listener: (signal: Interrupt) => void): unknown;
  off(signal: Interrupt, listener: (signal: Interrupt) => void): unknown;
  readonly pid: number;
  kill(pid: number, signal: Interrupt): unknown;
}

export class Interrupts {
  readonly #source: SignalSource;
  /** What is to be put back before the end, the last first. */
  readonly #restorers: (() => void)[] = [];
  readonly #listening = new Set<() => void>();

  constructor(source: SignalSource) {
    this.#source = source;
  }

  /**
   * Work that says what it has done: the first signal aborts it in place of ending the process, and
   * the next one ends the process.
   */
  async whileReporting<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const aborter = new AbortController();
    const end = this.#listen((signal) => {
      end();
      aborter.abort(new Error(`ended by ${signal}`));
    });
    try {
      return await work(aborter.signal);
    } finally {
      end();
    }
  }

  /**
   * Work that has changed the terminal: a signal has it put back, and then ends the process.
   * @param restore called once, at the latest when the work ends
   */
  async whileRestoring<T>(restore: () => void, work: () => Promise<T>): Promise<T> {
    this.#restorers.unshift(restore);
    const end = this.#listen((signal) => this.die(signal));
    try {
      return await work();
    } finally {
      end();
      const at = this.#restorers.indexOf(restore);
      if (at >= 0) for (const one of this.#restorers.splice(at, 1)) one();
    }
  }

  /** Puts everything back, and ends the process by a signal, as if nobody had listened for it. */
  die(signal: Interrupt): void {
    for (const end of this.#listening) end();
    this.restore();
    this.#source.kill(this.#source.pid, signal);
  }

  /** Puts everything back. */
  restore(): void {
    for (const restore of this.#restorers.splice(0)) restore();
  }

  #listen(listener: (signal: Interrupt) => void): () => void {
    for (const signal of SIGNALS) this.#source.on(signal, listener);
    const end = (): void => {
      for (const signal of SIGNALS) this.#source.off(signal, listener);
      this.#listening.delete(end);
    };
    this.#listening.add(end);
    return end;
  }
}
