/**
 * The man page, made from the program.
 *
 * Source: man-pages(7), groff_man(7).
 */

import type { Command } from 'commander';
import type { Example } from './command.ts';
import { type CommandOutline, type OptionOutline, outlineOf } from './program-outline.ts';
import { EXIT_STATUS, PROGRAM_NAME, PROGRAM_SUMMARY } from './program-text.ts';

const ENVIRONMENT: readonly (readonly [name: string, text: string])[] = [
  ['NO_COLOR', 'Not empty: nothing is painted.'],
  ['FORCE_COLOR', 'Text is painted in a pipe as well, unless it is 0 or false.'],
];

const SEE_ALSO = ['numa(7)', 'numactl(8)', 'migratepages(8)', 'numastat(8)', 'move_pages(2)'];

/** The page as groff reads it. */
export function manPage(program: Command): string {
  const lines = [
    `.\\" Written by "${PROGRAM_NAME} man"; changes belong into lib/cli.`,
    `.TH ${PROGRAM_NAME.toUpperCase()} 1 "" "${PROGRAM_NAME}" "User Commands"`,
    '.SH NAME',
    `${text(PROGRAM_NAME)} \\- ${text(PROGRAM_SUMMARY)}`,
    '.SH SYNOPSIS',
    ...outlineOf(program).flatMap(({ name, usage }, at) => [
      ...(at === 0 ? [] : ['.br']),
      `.B ${text(`${PROGRAM_NAME} ${name}`)}`,
      text(usage),
    ]),
    '.SH COMMANDS',
    ...outlineOf(program).flatMap(commandSection),
    '.SH EXIT STATUS',
    ...EXIT_STATUS.flatMap(([status, means]) => term(`${status}`, means)),
    '.PP',
    text('A command that was started by run ends with a status of its own.'),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, meaning]) => term(name, meaning)),
    '.SH SEE ALSO',
    ...SEE_ALSO.map((page, at) => {
      const [name = '', section = ''] = page.split(/[()]/);
      return `.BR ${name} (${section})${at + 1 === SEE_ALSO.length ? '' : ','}`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function commandSection(outline: CommandOutline): string[] {
  const { name, summary, paragraphs, options, examples } = outline;
  return [
    `.SS ${text(name)}`,
    sentence(summary),
    ...paragraphs.flatMap((paragraph) => ['.PP', text(paragraph)]),
    ...options.flatMap(optionTerm),
    ...examples.flatMap(exampleLines),
  ];
}

function optionTerm({ flags, description, choices }: OptionOutline): string[] {
  const list = choices.length === 0 ? '' : ` (${choices.join(', ')})`;
  return term(flags, `${description}${list}`);
}

function exampleLines({ line, says }: Example): string[] {
  return [
    '.PP',
    `${sentence(says).slice(0, -1)}:`,
    '.PP',
    '.RS 4',
    '.EX',
    text(line),
    '.EE',
    '.RE',
  ];
}

function term(name: string, meaning: string): string[] {
  return ['.TP', `.B ${text(name)}`, text(meaning)];
}

function sentence(words: string): string {
  return text(`${words.charAt(0).toUpperCase()}${words.slice(1)}.`);
}

/** As it is: no sign of it means something to groff, and a line is no request. */
function text(words: string): string {
  const escaped = words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti');
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped;
}
