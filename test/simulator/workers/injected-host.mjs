// Loaded before a program: makes it believe to run on another platform, or on a host with other
// nodes, and writes down which files of /proc and /sys it looks at.
//
// INJECTED_HOST: JSON with `platform`, `nodes`, the list of nodes with memory, `dlopen`, what
// the loader says in place of loading an addon, and `denied`, calls of it that answer EPERM.

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

const { platform, nodes, dlopen, denied = [] } = JSON.parse(process.env['INJECTED_HOST'] ?? '{}');
/** @type {string[]} */
const seen = [];
Object.assign(globalThis, { kernelFilesSeen: seen });
/** @type {Record<string, unknown>} */
const functions = { ...fs };

if (platform !== undefined) {
  Object.defineProperty(process, 'platform', { value: platform });
  os.platform = () => platform;
}
const load = process.dlopen;
process.dlopen = (/** @type {{ exports: Record<string, unknown> }} */ module, ...parameters) => {
  if (dlopen !== undefined) throw Object.assign(new Error(dlopen), { code: 'ERR_DLOPEN_FAILED' });
  load.call(process, module, ...parameters);
  for (const name of denied) {
    module.exports[name] = () => ({ ok: false, errno: os.constants.errno.EPERM, syscall: name });
  }
};
for (const [name, original] of Object.entries(functions)) {
  if (typeof original !== 'function' || /^[A-Z]/.test(name)) continue;
  const watched = (/** @type {unknown[]} */ ...parameters) => {
    const path = String(parameters[0]);
    if (/^\/(proc|sys)\b/.test(path)) seen.push(path);
    if (nodes !== undefined && path.endsWith('/has_memory')) {
      return name === 'readFileSync' ? `${nodes}\n` : true;
    }
    return original.apply(fs, parameters);
  };
  Object.assign(fs, { [name]: Object.assign(watched, original) });
}
syncBuiltinESMExports();
