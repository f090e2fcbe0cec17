// @ts-check
// The machine that runs the guest: where the project and its cache are, how to run programs.

import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectFolder = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');
export const cacheFolder = join(projectFolder, '.cache');

/** The guest could not be started, or ended without saying how its command ended. */
export class GuestError extends Error {
  /**
   * @param {string} message
   * @param {{ exitCode: number, remedy?: string, consoleLog?: string, cause?: unknown }} details
   */
  constructor(message, { exitCode, remedy = '', consoleLog = '', cause }) {
    super(message, { cause });
    this.name = 'GuestError';
    this.exitCode = exitCode;
    this.remedy = remedy;
    this.consoleLog = consoleLog;
  }
}

/** Exit codes of `npm run guest` that do not come from the command inside. */
export const exitCodes = Object.freeze({
  usage: 2,
  unavailable: 4,
  timeout: 124,
  guestFailed: 125,
});

/**
 * Finds a program on the PATH. Some systems leave `sbin` out of an ordinary user's PATH.
 * @param {string} name
 * @returns {string | undefined} its full path
 */
export function findProgram(name) {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here: look on.
    }
  }
  return undefined;
}

/**
 * Runs a program to its end and returns what it wrote; throws with the tail of it when it fails.
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string>} standard output
 */
export function runProgram(program, parameters, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const output = [];
    /** @type {Buffer[]} */
    const errors = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const text = Buffer.concat(output).toString();
      if (code === 0) return resolve(text);
      const lines = `${text}${Buffer.concat(errors)}`.trim().split('\n').slice(-8).join('\n');
      reject(new Error(`${program} ended with ${signal ?? `status ${code}`}: ${lines}`));
    });
  });
}
