#!/usr/bin/env node
/**
 * The program `node-numa`: its words, its streams, its signals.
 */

import { readFileSync } from 'node:fs';
import { runCommandLine } from './command-line.ts';
import { Output } from './output.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const interrupt = new AbortController();
// The first asks the command to end with a report of what it has done; the next one ends it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupt.abort(new Error(`ended by ${signal}`, { cause: signal })));
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  output: new Output(process, process.env),
  signal: interrupt.signal,
  version,
});
