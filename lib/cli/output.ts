/**
 * The only place that prints. Text is coloured on a terminal and plain in a pipe; a pipe that is
 * closed ends the printing, never the work. Each line passes one gate: what a terminal obeys, and
 * is not our own paint, is written out.
 */

import { setImmediate } from 'node:timers/promises';
import { replaceBigints } from '../core/json.ts';
import type { Interrupts } from './interrupts.ts';
import { Colours, PAINT } from './render/colours.ts';
import { visible, visibleBesides, visibleJson } from './render/visible.ts';

/** What a stream of the process has. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

export interface OutputStreams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

export type ColourWhen = 'auto' | 'always' | 'never';

export const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;
const CLEAR_LINE = '\r\u001b[K';
/** The cursor goes home, and what was below it is cleared. */
const REDRAW = '\u001b[H\u001b[J';
const OTHER_SCREEN = '\u001b[?1049h';
const FIRST_SCREEN = '\u001b[?1049l';

export class Output {
  readonly #streams: OutputStreams;
  #colours: Colours;
  #hasStatus = false;
  /** Streams that take no more. */
  readonly #ended = new Set<OutputStream>();
  #failure: NodeJS.ErrnoException | undefined;

  constructor(streams: OutputStreams, environment: NodeJS.ProcessEnv) {
    this.#streams = streams;
    this.#colours = new Colours(coloursByDefault(streams.stdout, environment));
    for (const stream of [streams.stdout, streams.stderr]) {
      stream.on?.('error', (error: NodeJS.ErrnoException) => {
        this.#ended.add(stream);
        const isGone = error.code === 'EPIPE' || (error.code === 'EIO' && stream.isTTY === true);
        if (!isGone) this.#failure ??= error;
      });
    }
  }

  /** What paints; paints nothing in a pipe. */
  get colours(): Colours {
    return this.#colours;
  }

  /** Whether people are looking. */
  get isTerminal(): boolean {
    return this.#streams.stdout.isTTY === true;
  }

  /** Columns that a line may have: as many as it wants in a pipe. A new terminal says 0. */
  get columns(): number {
    if (!this.isTerminal) return Number.POSITIVE_INFINITY;
    return this.#streams.stdout.columns || COLUMNS_DEFAULT;
  }

  /** Rows of the terminal. */
  get rows(): number {
    return this.#streams.stdout.rows || ROWS_DEFAULT;
  }

  /** Calls whenever the terminal's size changes, until the returned function is called. */
  onResize(listener: () => void): () => void {
    const { stdout } = this.#streams;
    stdout.on?.('resize', listener);
    return () => void stdout.off?.('resize', listener);
  }

  /** Nobody reads any more, or nothing more can be written. */
  get isClosed(): boolean {
    return this.#ended.has(this.#streams.stdout);
  }

  /** Why something could not be written, a full disk say; a reader that is gone is no failure. */
  async failure(): Promise<NodeJS.ErrnoException | undefined> {
    // Streams tell it in a later turn.
    await setImmediate();
    return this.#failure;
  }

  paint(when: ColourWhen): void {
    if (when !== 'auto') this.#colours = new Colours(when === 'always');
  }

  lines(lines: readonly string[]): void {
    this.endStatus();
    if (lines.length > 0) this.#write(this.#streams.stdout, `${this.#shown(lines)}\n`);
  }

  /** One JSON text, indented, ending in a new line. Masks are their text; values are exact. */
  json(value: unknown): void {
    this.endStatus();
    const text = JSON.stringify(value, replaceBigints, 2);
    this.#write(this.#streams.stdout, `${visibleJson(text)}\n`);
  }

  /** For people, beside the result: standard error. */
  complain(lines: readonly string[]): void {
    this.endStatus();
    this.#write(this.#streams.stderr, `${lines.map(visible).join('\n')}\n`);
  }

  /** A line that the next one replaces; only where standard error is a terminal. */
  status(text: string): void {
    if (this.#streams.stderr.isTTY !== true) return;
    this.#hasStatus = true;
    this.#write(this.#streams.stderr, `${CLEAR_LINE}${this.#shown([text])}`);
  }

  endStatus(): void {
    if (!this.#hasStatus) return;
    this.#hasStatus = false;
    this.#write(this.#streams.stderr, CLEAR_LINE);
  }

  /**
   * Draws a screen anew on a terminal, as many lines as it has; elsewhere prints them below the
   * last ones, after an empty line.
   */
  redraw(lines: readonly string[]): void {
    const { stdout } = this.#streams;
    const text = `${this.#shown(this.isTerminal ? this.#onScreen(lines) : lines)}\n`;
    this.#write(stdout, this.isTerminal ? `${REDRAW}${text}` : `${text}\n`);
  }

  #onScreen(lines: readonly string[]): readonly string[] {
    const room = this.rows - 1;
    if (lines.length <= room) return lines;
    const rest = lines.length - room + 1;
    return [...lines.slice(0, room - 1), this.#colours.dim(`and ${rest} more lines`)];
  }

  /** A screen of its own while the work runs; what was there comes back. */
  async onOtherScreen<T>(work: () => Promise<T>, interrupts: Interrupts): Promise<T> {
    if (!this.isTerminal) return work();
    const { stdout } = this.#streams;
    this.#write(stdout, OTHER_SCREEN);
    return interrupts.whileRestoring(() => this.#write(stdout, FIRST_SCREEN), work);
  }

  /** Whole text of our own, whose new lines are meant; it ends with one or without. */
  raw(text: string): void {
    this.#write(this.#streams.stdout, this.#shown(text.split('\n')));
  }

  /** The gate: each is one line, whatever is in it. */
  #shown(lines: readonly string[]): string {
    const isPainted = this.#colours.isOn;
    return lines
      .map((line) => (isPainted ? visibleBesides(PAINT, line) : visible(line)))
      .join('\n');
  }

  #write(stream: OutputStream, text: string): void {
    if (!this.#ended.has(stream)) stream.write(text);
  }
}

/** Source: https://no-color.org; Node.js documentation, FORCE_COLOR. */
function coloursByDefault({ isTTY }: OutputStream, environment: NodeJS.ProcessEnv): boolean {
  const { NO_COLOR: no, FORCE_COLOR: forced, TERM: terminal } = environment;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  if (no !== undefined && no !== '') return false;
  return isTTY === true && terminal !== 'dumb';
}
