/** Memory of a file by its path: the pages are those of the page cache. Source: mmap(2). */

import { text } from '../../core/call-arguments.ts';
import { checkOptions, checkWord } from '../../core/check-arguments.ts';
import type { Context } from '../context.ts';
import { type MapOptions, mapDescriptor } from './map-descriptor.ts';
import type { MappedBuffer } from './mapped-buffer.ts';

export interface MapFileOptions extends MapOptions {
  /**
   * `read` (default): the file is opened for reading, and is never changed. No ArrayBuffer can be
   * read-only, so what is written all the same stays in this mapping, a page at a time.
   * `write`: what is written is the file's, unless `visibility` is `private`.
   */
  readonly protection?: 'read' | 'write';
}

export function mapFile(
  context: Context,
  path: string,
  options: MapFileOptions | undefined,
): MappedBuffer {
  const checkedPath = text(path, 'path');
  const names = ['protection', 'visibility', 'offsetBytes', 'lengthBytes', 'policy'] as const;
  const checked = checkOptions<MapFileOptions>(options, 'options', names);
  const { protection = 'read', visibility = 'shared', ...rest } = checked;
  checkWord(protection, 'options.protection', ['read', 'write']);
  checkWord(visibility, 'options.visibility', ['shared', 'private']);
  const isPrivate = protection === 'read' || visibility === 'private';
  const { backend } = context;
  const opened = backend.open(checkedPath, isPrivate ? 'read' : 'write');
  const fd = context.unwrap(opened, `the file ${checkedPath}`, { path: checkedPath, protection });
  try {
    return mapDescriptor(context, fd, { ...rest, visibility: isPrivate ? 'private' : 'shared' });
  } finally {
    // The mapping has a descriptor of its own.
    backend.close(fd);
  }
}
