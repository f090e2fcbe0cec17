// @ts-check
// Puts the files of machines/ into the text of a module, for loaders that do not know JSON.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const jsonImport = /^import (\w+) from ["'](.+\.json)["'] with \{ type: ["']json["'] \};$/gm;

/**
 * Lines stay lines: source maps go on to be true.
 * @param {string} text of a module
 * @param {string} path
 * @returns {string}
 */
export function withInlinedMachines(text, path) {
  return text.replace(jsonImport, (_, name, file) => {
    const machine = JSON.parse(readFileSync(join(dirname(path), file), 'utf8'));
    return `const ${name} = ${JSON.stringify(machine)};`;
  });
}
