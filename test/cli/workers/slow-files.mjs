// For --import: reading a file of a machine takes for ever, as it may for a large process. Says on
// standard error that it has begun. Modules are read in another way.

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** @type {any} */ (fs).read = () => {
  fs.writeSync(2, 'reading\n');
  setInterval(() => {}, 1000);
};
syncBuiltinESMExports();
