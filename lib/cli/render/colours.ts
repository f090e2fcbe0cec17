/**
 * Colours of a terminal, by meaning. Without colour the text says the same.
 */

import { inspect, styleText } from 'node:util';

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

/** Black text can be read on all of them. */
const HEAT_GROUNDS: readonly Style[] = ['bgGreen', 'bgCyan', 'bgYellow', 'bgMagenta', 'bgRed'];
const OTHER_STYLES: readonly Style[] = ['bold', 'dim', 'black'];

/** What paint begins and ends with: of all that a terminal obeys, lines have only these. */
export const PAINT: RegExp = paintCodes();

function paintCodes(): RegExp {
  const styles = [...NODE_STYLES, ...HEAT_GROUNDS, ...OTHER_STYLES];
  const codes = styles.flatMap((style) => inspect.colors[style as keyof typeof inspect.colors]);
  return new RegExp(`\\u001b\\[(?:${[...new Set(codes)].join('|')})m`, 'g');
}

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

  /** A cell of a heat map, from near (0) to far (1). */
  heat(share: number, text: string): string {
    const ground = HEAT_GROUNDS[Math.round(share * (HEAT_GROUNDS.length - 1))] as Style;
    return this.#style(['black', ground] as Style, text);
  }

  #style(style: Style, text: string): string {
    return this.isOn && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  }
}
