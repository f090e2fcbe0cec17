/**
 * Colours of a terminal, by meaning. Without colour the text says the same.
 */

import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Told apart by most eyes, on dark and on light ground; nodes take them in turn. */
const NODE_STYLES: readonly Style[] = [
  'cyan',
  'yellow',
  'magenta',
  'green',
  'blue',
  'red',
  'cyanBright',
  'magentaBright',
];

export class Colours {
  readonly isOn: boolean;

  constructor(isOn: boolean) {
    this.isOn = isOn;
  }

  heading(text: string): string {
    return this.#style('bold', text);
  }

  dim(text: string): string {
    return this.#style('dim', text);
  }

  good(text: string): string {
    return this.#style('green', text);
  }

  warning(text: string): string {
    return this.#style('yellow', text);
  }

  bad(text: string): string {
    return this.#style('red', text);
  }

  /** What belongs to a node has its colour everywhere. `index`: its place among the nodes. */
  node(index: number, text: string): string {
    return this.#style(NODE_STYLES[index % NODE_STYLES.length] as Style, text);
  }

  /** From near (0) to far (1). */
  heat(share: number, text: string): string {
    const style = share < 1 / 3 ? 'green' : share < 2 / 3 ? 'yellow' : 'red';
    return this.#style(style, text);
  }

  #style(style: Style, text: string): string {
    return this.isOn ? styleText(style, text, { validateStream: false }) : text;
  }
}
