// @ts-check
// The contract document as data. Two forms of entry (docs/contract/README.md, "How to read it"):
// a heading `### C-1.3-07` with a text and fields, and a table row whose first cell is an id and
// whose last cell refers to other entries.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';

export const documentFolder = join(projectFolder, 'docs/contract');
export const indexFile = join(documentFolder, 'README.md');

/**
 * What shows an entry. `as` names the entries that say it at length.
 * @typedef {'shown' | 'not shown yet' | 'not testable' | 'unspecified'} Status
 * @typedef {{
 *   id: string,
 *   section: string,
 *   place: string,
 *   text: string,
 *   kernels: string,
 *   source: string,
 *   tests: string[],
 *   as: string[],
 *   status: Status | undefined,
 * }} Entry
 * @typedef {{ id: string, title: string, file: string }} Section
 */

const ID = /C-(\d+(?:\.\d+)?)-(\d{2,})/;
const ENTRY_HEADING = new RegExp(`^### (${ID.source})$`);
const SECTION_HEADING = /^##? (\d+(?:\.\d+)?) (\S.*)$/;
const ROW = new RegExp(`^\\| (${ID.source}) \\|(.*)\\|$`);
const FIELD = /^- (Kernels|Source|Shown by|Not shown yet|Not testable|Unspecified): ?(.*)$/;

/** @returns {{ sections: Section[], entries: Entry[] }} */
export function readDocument() {
  /** @type {Section[]} */
  const sections = [];
  /** @type {Entry[]} */
  const entries = [];
  const files = readdirSync(documentFolder).filter((name) => name.endsWith('.md'));
  for (const file of files.sort()) {
    if (join(documentFolder, file) === indexFile) continue;
    const text = readFileSync(join(documentFolder, file), 'utf8');
    readFile(file, text.split('\n'), sections, entries);
  }
  return { sections, entries };
}

/**
 * @param {string} file
 * @param {string[]} lines
 * @param {Section[]} sections
 * @param {Entry[]} entries
 */
function readFile(file, lines, sections, entries) {
  /** @type {Entry | undefined} */
  let entry;
  /** @type {string[] | undefined} the field that a following indented line continues */
  let field;
  const endField = () => {
    if (entry && field) addField(entry, field[0] ?? '', field.slice(1).join(' ').trim());
    field = undefined;
  };
  lines.forEach((line, index) => {
    const place = `${file}:${index + 1}`;
    if (field && line.startsWith('  ')) {
      field.push(line.trim());
      return;
    }
    endField();
    const [, heading] = ENTRY_HEADING.exec(line) ?? [];
    const [, sectionId, title] = SECTION_HEADING.exec(line) ?? [];
    const [, name, value] = FIELD.exec(line) ?? [];
    const [, rowId, , , cells] = ROW.exec(line) ?? [];
    if (heading) {
      entry = newEntry(heading, place);
      entries.push(entry);
    } else if (sectionId && title) {
      sections.push({ id: sectionId, title, file });
      entry = undefined;
    } else if (name && entry) field = [name, value ?? ''];
    else if (rowId && cells) entries.push(entryOfRow(rowId, place, cells));
    else if (entry) entry.text += `${line}\n`;
  });
  endField();
}

/**
 * @param {string} id
 * @param {string} place
 * @returns {Entry}
 */
function newEntry(id, place) {
  const section = ID.exec(id)?.[1] ?? '';
  const empty = { text: '', kernels: '', source: '', status: undefined };
  return { id, section, place, ...empty, tests: [], as: [] };
}

/**
 * A row says itself which kernels it is about, and its entries carry the sources.
 * @param {string} id
 * @param {string} place
 * @param {string} cells
 */
function entryOfRow(id, place, cells) {
  const parts = cells.split(/(?<!\\)\|/).map((cell) => cell.trim());
  const last = parts.at(-1) ?? '';
  const as = [...last.matchAll(new RegExp(ID, 'g'))].map(([whole]) => whole);
  const text = parts.slice(0, -1).join(' | ');
  return { ...newEntry(id, place), text, kernels: 'as told', source: last, as };
}

/**
 * @param {Entry} entry
 * @param {string} name
 * @param {string} value
 */
function addField(entry, name, value) {
  if (name === 'Kernels') entry.kernels = value;
  else if (name === 'Source') entry.source = value;
  else if (name === 'Shown by') {
    entry.tests.push(value);
    entry.status ??= 'shown';
  } else {
    entry.status = name === 'Not shown yet' ? 'not shown yet' : reasoned(name, value);
  }
}

/**
 * @param {string} name
 * @param {string} reason
 * @returns {Status | undefined}
 */
function reasoned(name, reason) {
  if (reason === '') return undefined;
  return name === 'Not testable' ? 'not testable' : 'unspecified';
}
