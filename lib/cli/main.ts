#!/usr/bin/env node
/**
 * The program `node-numa`: its words, its streams, its signals.
 */

import { readFileSync } from 'node:fs';
import { runCommandLine } from './command-line.ts';
import { Interrupts } from './interrupts.ts';
import { Output } from './output.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

process.exitCode = await runCommandLine(process.argv.slice(2), {
  output: new Output(process, process.env),
  interrupts: new Interrupts(process),
  version,
});
