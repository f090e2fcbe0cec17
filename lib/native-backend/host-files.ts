/** The host's files for simulated machines, through Node: on any platform. */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  realpathSync,
  writeSync,
} from 'node:fs';
import { ERRNO } from '../core/errno.ts';
import type { HostFiles } from '../machine/host-files.ts';
import { closeFile, failureOf, openFile } from './system-files.ts';

export const hostFiles: HostFiles = {
  read: (path, access) => {
    const opened = openFile(path, access);
    if (!opened.ok) return opened;
    try {
      const isFile = fstatSync(opened.value).isFile();
      if (!isFile) return { ok: false, errno: ERRNO.ENODEV, syscall: 'mmap' };
      const bytes = new Uint8Array(readFileSync(opened.value));
      return { ok: true, value: { name: realpathSync(path), bytes } };
    } catch (error) {
      return failureOf(error);
    } finally {
      closeFile(opened.value);
    }
  },
  write: (name, offsetBytes, bytes) => {
    try {
      const descriptor = openSync(name, constants.O_WRONLY);
      try {
        // Others may have made it shorter: a mapping never makes it longer again.
        const restBytes = Math.max(0, fstatSync(descriptor).size - offsetBytes);
        const count = Math.min(bytes.length, restBytes);
        for (let done = 0; done < count; ) {
          done += writeSync(descriptor, bytes, done, count - done, offsetBytes + done);
        }
        return { ok: true, value: count };
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      return failureOf(error);
    }
  },
};
