#!/usr/bin/env node
/**
 * The program `node-numa`: its words, its streams, its signals.
 */

import { readFileSync } from 'node:fs';
import { packageFile } from '../package-folder.ts';
import { runCommandLine } from './command-line.ts';
import { Interrupts } from './interrupts.ts';
import { Output } from './output.ts';

const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
  version: string;
};

const output = new Output(process, process.env);
const interrupts = new Interrupts(process);
// A fault of ours ends the program as always; but its message may quote others, and the terminal
// may be changed.
process.setUncaughtExceptionCaptureCallback((fault: unknown) => {
  interrupts.restore();
  const { stack = `${fault}`, message = '' } = (fault ?? {}) as Partial<Error>;
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line));
  output.complain([`fault of node-numa ${version}: ${message}`, ...frames]);
  process.exit(1);
});

process.exitCode = await runCommandLine(process.argv.slice(2), { output, interrupts, version });
