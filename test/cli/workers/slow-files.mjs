// For --import: reading a file of a machine takes for ever, as it may for a large process. Says on
// standard error that it has begun.

import { writeSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** @returns {Promise<any>} */
promises.readFile = () => {
  writeSync(2, 'reading\n');
  setInterval(() => {}, 1000);
  return new Promise(() => {});
};
syncBuiltinESMExports();
