/** The host's files for simulated machines, through Node: on any platform. */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  realpathSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { ERRNO } from '../core/errno.ts';
import type { HostFiles } from '../machine/host-files.ts';
import { closeFile, failureOf, openFile } from './system-files.ts';

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

export const hostFiles: HostFiles = {
  read: (path, access) => {
    const opened = openFile(path, access);
    if (!opened.ok) return opened;
    try {
      const status = fstatSync(opened.value);
      if (!status.isFile()) return { ok: false, errno: ERRNO.ENODEV, syscall: 'mmap' };
      const bytes = new Uint8Array(readFileSync(opened.value));
      return { ok: true, value: { name: realpathSync(path), identity: identityOf(status), bytes } };
    } catch (error) {
      return failureOf(error);
    } finally {
      closeFile(opened.value);
    }
  },
  write: ({ name, identity }, offsetBytes, bytes) => {
    try {
      const descriptor = openSync(name, constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        const status = fstatSync(descriptor);
        if (identityOf(status) !== identity) return { ok: true, value: bytes.length };
        // Others may have made it shorter: a mapping never makes it longer again.
        const restBytes = Math.max(0, status.size - offsetBytes);
        const count = Math.min(bytes.length, restBytes);
        for (let done = 0; done < count; ) {
          done += writeSync(descriptor, bytes, done, count - done, offsetBytes + done);
        }
        return { ok: true, value: count };
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      const failure = failureOf(error);
      return failure.errno === ERRNO.ENOENT ? { ok: true, value: bytes.length } : failure;
    }
  },
};
