// @ts-check
// Puts the files of machines/ into the built presets: of what is installed nothing reads a file to
// have a machine, and no bundler has to know of JSON.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectFolder } from '../guest/host.mjs';

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

if (import.meta.filename === process.argv[1]) {
  const built = join(projectFolder, 'dist', 'simulator', 'presets.js');
  writeFileSync(built, withInlinedMachines(readFileSync(built, 'utf8'), built));
}
