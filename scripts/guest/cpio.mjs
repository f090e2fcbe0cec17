// @ts-check
// Writes the archive format that the kernel unpacks into its first root file system: cpio "newc".
// Source: Documentation/driver-api/early-userspace/buffer-format.rst

import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { posix } from 'node:path';

const typeFile = 0o100000;
const typeFolder = 0o040000;
const typeLink = 0o120000;
const typeCharacterDevice = 0o020000;
// The kernel resumes at a multiple of four; blocks keep archives easy to concatenate with others.
const blockBytes = 512;

export class CpioWriter {
  #descriptor;
  #offset = 0;
  #inode = 1;
  /** @type {Set<string>} */
  #folders = new Set(['', '.', '/']);

  /** @param {string} path */
  constructor(path) {
    this.#descriptor = openSync(path, 'w');
  }

  /**
   * Adds a folder and those above it, once each.
   * @param {string} name path in the guest, with or without the leading slash
   */
  folder(name) {
    const path = relative(name);
    if (this.#folders.has(path)) return;
    this.folder(posix.dirname(path));
    this.#folders.add(path);
    this.#entry(path, { mode: typeFolder | 0o755 });
  }

  /**
   * @param {string} name
   * @param {Buffer | string} content
   * @param {{ mode?: number, modifiedSeconds?: number }} [attributes]
   */
  file(name, content, { mode = 0o644, modifiedSeconds = 0 } = {}) {
    this.folder(posix.dirname(relative(name)));
    const data = typeof content === 'string' ? Buffer.from(content) : content;
    this.#entry(relative(name), { mode: typeFile | mode, modifiedSeconds, data });
  }

  /**
   * Adds a file of this machine, following symbolic links.
   * @param {string} source
   * @param {string} name
   * @param {number} [mode] instead of the file's own
   */
  copy(source, name, mode) {
    const { mode: ownMode, mtimeMs } = statSync(source);
    const modifiedSeconds = Math.floor(mtimeMs / 1000);
    this.file(name, readFileSync(source), { mode: mode ?? ownMode & 0o777, modifiedSeconds });
  }

  /**
   * @param {string} name
   * @param {string} target
   */
  link(name, target) {
    this.folder(posix.dirname(relative(name)));
    this.#entry(relative(name), { mode: typeLink | 0o777, data: Buffer.from(target) });
  }

  /**
   * @param {string} name
   * @param {number} major
   * @param {number} minor
   */
  characterDevice(name, major, minor) {
    this.folder(posix.dirname(relative(name)));
    this.#entry(relative(name), { mode: typeCharacterDevice | 0o600, device: [major, minor] });
  }

  /** Ends the archive; returns its size in bytes. */
  close() {
    this.#entry('TRAILER!!!', { mode: 0 });
    this.#pad(blockBytes);
    closeSync(this.#descriptor);
    return this.#offset;
  }

  /**
   * @param {string} name
   * @param {{ mode: number, data?: Buffer, modifiedSeconds?: number, device?: number[] }} entry
   */
  #entry(name, { mode, data = Buffer.alloc(0), modifiedSeconds = 0, device = [0, 0] }) {
    const nameBytes = Buffer.byteLength(name) + 1;
    const owner = [0, 0];
    const linkCount = 1;
    const archiveDevice = [0, 0];
    const fields = [this.#inode++, mode, ...owner, linkCount, modifiedSeconds, data.length];
    fields.push(...archiveDevice, ...device, nameBytes, 0);
    const header = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
    this.#write(Buffer.from(`070701${header}${name}\0`));
    this.#pad(4);
    this.#write(data);
    this.#pad(4);
  }

  /** @param {number} multiple */
  #pad(multiple) {
    this.#write(Buffer.alloc((multiple - (this.#offset % multiple)) % multiple));
  }

  /** @param {Buffer} bytes */
  #write(bytes) {
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written);
    this.#offset += bytes.length;
  }
}

/**
 * Names in the archive have no leading slash.
 * @param {string} name
 */
function relative(name) {
  return name.replace(/^\/+/, '');
}
