/**
 * A file system of text as a tree: files that are written when they are read, folders that are
 * looked up by name.
 *
 * Source: path_resolution(7). Links are followed where the tree is made: `self` is a folder.
 */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { ERRNO } from '../../core/errno.ts';
import { failure, success } from '../syscalls/answer.ts';

/** What a reader gets: the text, or an errno of open(2). */
export type Content = string | { readonly errno: number };

export type FileEntry = () => Content;

export interface FolderEntry {
  names(): readonly string[];
  find(name: string): Entry | undefined;
}

export type Entry = FileEntry | FolderEntry;

/** A folder whose entries are known; those that are `undefined` are not there. A getter makes its
 *  entry when somebody looks. */
export function folderOf(entries: Readonly<Record<string, Entry | undefined>>): FolderEntry {
  const find = (name: string): Entry | undefined =>
    Object.hasOwn(entries, name) ? entries[name] : undefined;
  return { names: () => Object.keys(entries).filter((name) => find(name) !== undefined), find };
}

/** A folder of numbered things, and some more. */
export function numberedFolder(
  prefix: string,
  numbers: () => readonly number[],
  folderFor: (number: number) => Entry | undefined,
  more: FolderEntry = folderOf({}),
): FolderEntry {
  const pattern = new RegExp(`^${prefix}(0|[1-9]\\d*)$`);
  return {
    names: () => [...numbers().map((number) => `${prefix}${number}`), ...more.names()],
    find: (name) => {
      const number = pattern.exec(name)?.[1];
      return number === undefined ? more.find(name) : folderFor(Number(number));
    },
  };
}

/** ENOENT, ENOTDIR, EISDIR, and what the file itself says. */
export function readFileOf(root: FolderEntry, path: string): SyscallResult<string> {
  const entry = lookUp(root, path);
  if (typeof entry === 'number') return failure('open', entry);
  if (typeof entry !== 'function') return failure('read', ERRNO.EISDIR);
  if (path.endsWith('/')) return failure('open', ERRNO.ENOTDIR);
  const content = entry();
  return typeof content === 'string' ? success(content) : failure('open', content.errno);
}

/** ENOENT, ENOTDIR. */
export function namesInFolder(root: FolderEntry, path: string): SyscallResult<string[]> {
  const entry = lookUp(root, path);
  if (typeof entry === 'number') return failure('scandir', entry);
  if (typeof entry === 'function') return failure('scandir', ERRNO.ENOTDIR);
  return success([...entry.names()]);
}

/** The entry, or an errno. */
function lookUp(root: FolderEntry, path: string): Entry | number {
  const way: Entry[] = [root];
  for (const name of path.split('/')) {
    const folder = way.at(-1) as Entry;
    if (name === '' || name === '.') continue;
    if (typeof folder === 'function') return ERRNO.ENOTDIR;
    if (name === '..') {
      if (way.length > 1) way.pop();
      continue;
    }
    const found = folder.find(name);
    if (found === undefined) return ERRNO.ENOENT;
    way.push(found);
  }
  return way.at(-1) as Entry;
}
