/**
 * Text that is not ours, as a terminal may have it: names of processes, threads, files and
 * machines, and messages that quote them. What a terminal would obey, or would not show, is written
 * out: `\x1b`, `\n`, `\x9b`, `\u202e`, `\u{e0041}`. Text without any of it stays as it is, so that
 * what has been through here may come again.
 *
 * Source: Unicode Standard, chapter 23, "Special Areas and Format Characters"; UAX #9; ECMA-48.
 */

/**
 * Controls (C0, C1), what sets directions and joins, lone surrogates, separators of lines, what is
 * shown as nothing (variation selectors, fillers, tags), and what Unicode does not define.
 */
const UNSEEN = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}`;
/** Marks that one character may carry; more of them reach into the lines above and below. */
const MARKS_MAX = 4;
/** A mark with nothing before it would change the sign that we have put there. */
const LOOSE_MARKS = String.raw`(?<=^|[${UNSEEN}\p{Z}])\p{M}+|(?<=\p{M}{${MARKS_MAX}})\p{M}+`;
const HIDDEN = new RegExp(`${LOOSE_MARKS}|[${UNSEEN}]`, 'gu');
const UNSEEN_IN_JSON = new RegExp(`(?!\\n)[${UNSEEN}]`, 'gu');

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line, which does nothing to a terminal but take its columns. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (found) => [...found].map(written).join(''));
}

function written(character: string): string {
  const code = character.codePointAt(0) as number;
  const digits = code.toString(16);
  if (code > 0xffff) return `\\u{${digits}}`;
  return (
    SHORT[character] ??
    (code > 0xff ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`)
  );
}

/** The same for a line that has paint in it: `paint` matches the codes that are ours. */
export function visibleBesides(paint: RegExp, line: string): string {
  const codes = line.match(paint) ?? [];
  return line
    .split(paint)
    .map((text, at) => `${visible(text)}${codes[at] ?? ''}`)
    .join('');
}

/** JSON text of the same value, with such characters as `\u009b`. */
export function visibleJson(text: string): string {
  return text.replace(UNSEEN_IN_JSON, (found) => {
    const units = Array.from({ length: found.length }, (_, at) => found.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}
