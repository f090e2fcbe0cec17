// For --import: reading a file of a machine takes for ever, as it may for a large process. Says on
// standard error that it has begun.

import { writeSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const read = promises.readFile;

/** @type {any} */ (promises).readFile = (/** @type {any} */ path, /** @type {any} */ options) => {
  // Modules are files, too.
  if (!/^\/(proc|sys)\//.test(`${path}`)) return read(path, options);
  writeSync(2, 'reading\n');
  setInterval(() => {}, 1000);
  return new Promise(() => {});
};
syncBuiltinESMExports();
