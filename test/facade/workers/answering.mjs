// Answers what it is asked: where it may run, with an error, or never.

import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/** @param {string} asked */
export default function answer(asked) {
  if (asked === 'throw') throw new Error('inside the worker');
  if (asked === 'exit') process.exit(7);
  const status = readFileSync('/proc/thread-self/status', 'utf8');
  return [asked, /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1]];
}

// In a pool of piscina it is a function that is called.
if (!process.argv.includes('piscina')) {
  parentPort?.on('message', (asked) => {
    if (asked !== 'never') parentPort?.postMessage(answer(asked));
  });
}
