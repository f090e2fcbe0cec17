/**
 * How help lays its lists out: side by side, and on a narrow terminal one below the other.
 */

import { Help } from 'commander';
import { COLUMNS_DEFAULT } from './output.ts';

/** Where the output does not tell. */
/** What a description needs beside its option. */
const DESCRIPTION_COLUMNS_MIN = 40;
const TEXT_COLUMNS_MIN = 20;
const INDENT = 6;

export const helpLayout: Partial<Help> = {
  minWidthToWrap: TEXT_COLUMNS_MIN,
  formatItem(term: string, termWidth: number, description: string, helper: Help): string {
    const columns = helper.helpWidth ?? COLUMNS_DEFAULT;
    if (description === '' || columns - termWidth >= DESCRIPTION_COLUMNS_MIN) {
      return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
    }
    const text = helper.boxWrap(description, columns - INDENT);
    return `  ${term}\n${text.replaceAll(/^/gm, ' '.repeat(INDENT))}`;
  },
};
