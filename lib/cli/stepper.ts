/**
 * Looks at moments one after the other in a terminal, forwards and backwards, by keys.
 */

import { emitKeypressEvents } from 'node:readline';
import type { Interrupts } from './interrupts.ts';
import type { Output } from './output.ts';
import type { ScreenSize } from './render/scenario-frame.ts';

/** The keyboard. */
export interface KeyInput extends NodeJS.ReadableStream {
  setRawMode(isRaw: boolean): unknown;
}

export interface Moments {
  readonly count: number;
  readonly draw: (at: number, size: ScreenSize) => string[];
}

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
}

const PAGE = 10;
const MOVES: Readonly<Record<string, (at: number, last: number) => number>> = {
  right: (at) => at + 1,
  down: (at) => at + 1,
  space: (at) => at + 1,
  n: (at) => at + 1,
  left: (at) => at - 1,
  up: (at) => at - 1,
  p: (at) => at - 1,
  home: () => 0,
  end: (_, last) => last,
  pageup: (at) => at - PAGE,
  pagedown: (at) => at + PAGE,
};

/**
 * Until somebody leaves by q or Escape, or the input ends. Ctrl-C, which is a key here, ends the
 * program as it does everywhere.
 */
export async function stepThrough(
  { count, draw }: Moments,
  terminal: { readonly output: Output; readonly input: KeyInput },
  interrupts: Interrupts,
): Promise<void> {
  const { output, input } = terminal;
  let at = 0;
  const show = (): void => {
    output.redraw(draw(at, { columns: output.columns, rows: output.rows }));
  };
  const walk = async (): Promise<void> => {
    emitKeypressEvents(input);
    input.setRawMode(true);
    const endResize = output.onResize(show);
    let leave: (() => void) | undefined;
    const onKey = (_text: unknown, { name = '', ctrl = false }: Key): void => {
      if (name === 'q' || name === 'escape') leave?.();
      if (ctrl && name === 'c') interrupts.die('SIGINT');
      const move = Object.hasOwn(MOVES, name) ? MOVES[name] : undefined;
      if (move === undefined || ctrl) return;
      at = Math.min(count - 1, Math.max(0, move(at, count - 1)));
      show();
    };
    try {
      show();
      await new Promise<void>((resolve) => {
        leave = resolve;
        input.on('keypress', onKey);
        input.on('end', resolve);
      });
    } finally {
      endResize();
      input.off('keypress', onKey);
      input.pause();
    }
  };
  await output.onOtherScreen(() => {
    return interrupts.whileRestoring(() => void input.setRawMode(false), walk);
  }, interrupts);
}
