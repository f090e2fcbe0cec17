// @ts-check
// One QEMU process and its ports: the kernel's log, records in lines, and the two outputs of the
// command. They are inherited sockets: no files, no names, no clean-up.

import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { serialDescriptors, virtioDescriptor } from './qemu-arguments.mjs';

const panicPattern = /Kernel panic - not syncing[^\r\n]*/;
const crashPattern =
  /(?:Oops|PANIC: double fault|BUG: unable to handle|general protection)[^\r\n]*/;
const keptBytes = 64 * 1024;

/**
 * @typedef {object} QemuHooks
 * @property {(chunk: Buffer) => void} onConsole
 * @property {(line: string) => void} onRecord
 * @property {(chunk: Buffer) => void} onStdout
 * @property {(chunk: Buffer) => void} onStderr
 */

/**
 * @typedef {object} QemuProcess
 * @property {(line: string) => void} send writes one line to the guest's record port
 * @property {(chunk: Buffer | string) => void} write to the guest's /dev/channel, whose other
 *   direction comes as output; the command speaks first
 * @property {() => void} kill ends this QEMU and nothing else
 * @property {Promise<string>} ended resolves when the process is gone and its ports are read out,
 *   with what it said about its end
 */

/**
 * @param {string} program
 * @param {string[]} parameters
 * @param {QemuHooks} hooks
 * @returns {QemuProcess}
 */
export function startQemu(program, parameters, hooks) {
  const pipe = /** @type {const} */ ('pipe');
  const stdio = ['ignore', 'ignore', pipe, pipe, pipe, pipe, pipe, pipe];
  const child = spawn(program, parameters, { stdio: /** @type {any} */ (stdio) });
  const port = (/** @type {number} */ descriptor) => {
    const stream = /** @type {import('node:net').Socket} */ (
      /** @type {unknown} */ (child.stdio[descriptor])
    );
    // A killed QEMU resets its sockets; its end is reported by the process itself.
    stream.on('error', () => {});
    return stream;
  };
  const records = port(serialDescriptors.records);
  port(serialDescriptors.console).on('data', hooks.onConsole);
  const output = port(serialDescriptors.stdout).on('data', hooks.onStdout);
  const virtio = port(virtioDescriptor);
  // A kernel that has virtio says it there.
  let channel = output;
  virtio.on('data', (chunk) => {
    channel = virtio;
    hooks.onStdout(chunk);
  });
  port(serialDescriptors.stderr).on('data', hooks.onStderr);
  records.on('data', lines(hooks.onRecord));

  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-2000);
  });
  const kill = () => child.kill('SIGKILL');
  // Whatever ends us must not leave a guest behind.
  process.once('exit', kill);
  const ended = new Promise((/** @type {(reason: string) => void} */ resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      process.removeListener('exit', kill);
      const ending = signal ? `ended by ${signal}` : `ended with status ${code}`;
      // The last line is the fatal one; warnings come before it.
      const lastLine = complaint.trim().split('\n').at(-1);
      resolve(lastLine ? `${ending}: ${lastLine}` : ending);
    });
  });
  return {
    send: (line) => records.write(`${line}\n`),
    write: (chunk) => channel.write(chunk),
    kill,
    ended,
  };
}

/**
 * Watches a kernel's log for its death.
 * @returns {{ watch: (chunk: Buffer) => void, panic: () => string | undefined }}
 */
export function panicWatch() {
  let text = '';
  return {
    watch: (chunk) => {
      text = `${text}${chunk.toString('latin1')}`.slice(-keptBytes);
    },
    panic: () => {
      const panic = panicPattern.exec(text)?.[0] ?? crashPattern.exec(text)?.[0];
      return panic?.trim();
    },
  };
}

/**
 * @param {(line: string) => void} onLine
 * @returns {(chunk: Buffer) => void}
 */
function lines(onLine) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk) => {
    const parts = `${rest}${decoder.write(chunk)}`.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) onLine(part.trim());
  };
}
