/**
 * The backend of this machine's kernel: each method is one call of the addon.
 */

import { release } from 'node:os';
import { basename } from 'node:path';
import type {
  Access,
  Backend,
  BackendIdentity,
  CopiedPages,
  CopyPagesRequest,
  CpuAndNode,
  GetMempolicyRequest,
  GetMempolicyValue,
  MbindRequest,
  MigratePagesRequest,
  MovePagesRequest,
  PagemapScan,
  PagemapScanRequest,
  PageSpan,
  SetMempolicyHomeNodeRequest,
  SetMempolicyRequest,
} from '../backend/backend.ts';
import type { Mapping } from '../backend/mapping.ts';
import { check } from '../backend/requests.ts';
import type { SyscallResult } from '../backend/syscall-result.ts';
import type { DeviceNumber, NodeMemory, TopologySnapshot } from '../backend/topology-snapshot.ts';
import { isBigUint64Array } from '../core/call-arguments.ts';
import { newArray } from '../core/check-arguments.ts';
import { MAXNODE_ALL, nodesOfWords } from '../core/nodemask-words.ts';
import { MPOL_F } from '../core/uapi.ts';
import type { Addon } from './addon.ts';
import { askForCopies } from './copy-pages.ts';
import { type HostSources, readNodeMemory, readTopology } from './host-nodes.ts';
import { loadAddon, type Unavailable } from './load-addon.ts';
import { NativeMappings } from './native-mappings.ts';
import { readMaps } from './proc-maps.ts';
import { residentRuns } from './resident-runs.ts';
import {
  deviceOfFile,
  readNames,
  readNamesSync,
  readText,
  readTextSync,
  writeText,
} from './system-files.ts';

export { hostAsOneNode, hostMemoryNodes } from './host-nodes.ts';

/** Those whose text the addon reads in part, by its number. */
const FILES_OF_MAPPINGS: readonly string[] = ['/proc/self/smaps', '/proc/self/numa_maps'];

/** A run that the addon found: start, end, categories. */
const REGION_WORDS = 3;

const NULL_MASK = { words: null, maxnode: 0 } as const;

/** An addon's memory is the process's: all who open it have one backend, of which is known what
 *  they did there. */
const backends = new WeakMap<Addon, NativeBackend>();

/** Loads the addon; a failure is a value with its reason and what would fix it. */
export function openNativeBackend(
  binding?: string | object,
): { readonly ok: true; readonly backend: Backend } | Unavailable {
  const loaded = loadAddon(binding);
  if (!loaded.ok) return loaded;
  const { addon } = loaded;
  const backend = backends.get(addon) ?? new NativeBackend(addon);
  backends.set(addon, backend);
  return { ok: true, backend };
}

class NativeBackend extends NativeMappings implements Backend {
  readonly identity: BackendIdentity;
  readonly pid: number = process.pid;
  readonly #addon: Addon;
  readonly #sources: HostSources = {
    readText: readTextSync,
    readNames: readNamesSync,
    askAllowed: () => this.#askAllowed(),
  };

  constructor(addon: Addon) {
    super(addon);
    this.#addon = addon;
    this.identity = Object.freeze({
      kind: 'native',
      kernel: release(),
      libnuma: basename(addon.libnuma_path() ?? 'libnuma.so.1'),
    });
  }

  topology(): SyscallResult<TopologySnapshot> {
    return readTopology(this.#sources);
  }

  nodeMemory(node: number): SyscallResult<NodeMemory> {
    return readNodeMemory(check.node(node, 'node'), this.#sources);
  }

  touch(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
    access: Access,
  ): SyscallResult<undefined> {
    return this.#addon.touch(
      mapping,
      check.offsetBytes(offsetBytes, 'offsetBytes'),
      check.lengthBytes(lengthBytes, 'lengthBytes'),
      check.access(access, 'access'),
    );
  }

  touchView(view: Uint8Array, access: Access): SyscallResult<undefined> {
    return this.#addon.touch_view(check.view(view, 'view'), check.access(access, 'access'));
  }

  viewAddress(view: Uint8Array): SyscallResult<bigint> {
    return this.#addon.view_address(check.view(view, 'view'));
  }

  setMempolicy(request: SetMempolicyRequest): SyscallResult<undefined> {
    const { mode, nodemask } = check.setMempolicy(request, 'request');
    const { words, maxnode } = nodemask ?? NULL_MASK;
    return this.#addon.set_mempolicy(mode, words, maxnode);
  }

  getMempolicy(request: GetMempolicyRequest): SyscallResult<GetMempolicyValue> {
    const { maxnode, address = 0n, flags } = check.getMempolicy(request, 'request');
    return this.#addon.get_mempolicy(maxnode, address, flags);
  }

  getcpu(): SyscallResult<CpuAndNode> {
    return this.#addon.getcpu();
  }

  schedSetaffinity(cpus: readonly number[], tid: number = 0): SyscallResult<undefined> {
    const list = check.cpus(cpus, 'cpus');
    return this.#addon.sched_setaffinity(check.pid(tid, 'tid'), list);
  }

  schedGetaffinity(): SyscallResult<number[]> {
    return this.#addon.sched_getaffinity();
  }

  mbind(request: MbindRequest): SyscallResult<undefined> {
    const { address, lengthBytes, mode, nodemask, flags } = check.mbind(request, 'request');
    const { words, maxnode } = nodemask ?? NULL_MASK;
    return this.#addon.mbind(address, lengthBytes, mode, words, maxnode, flags);
  }

  setMempolicyHomeNode(request: SetMempolicyHomeNodeRequest): SyscallResult<undefined> {
    const checked = check.setMempolicyHomeNode(request, 'request');
    const { address, lengthBytes, node, flags } = checked;
    return this.#addon.set_mempolicy_home_node(address, lengthBytes, node, flags);
  }

  maps(span: PageSpan): SyscallResult<PageSpan[]> {
    return readMaps(check.span(span, 'span'), this.pageSizeBytes);
  }

  async movePages(request: MovePagesRequest): Promise<SyscallResult<number>> {
    return this.#addon.move_pages_async(...movePagesArguments(request));
  }

  movePagesSync(request: MovePagesRequest): SyscallResult<number> {
    return this.#addon.move_pages(...movePagesArguments(request));
  }

  async copyPages(request: CopyPagesRequest): Promise<SyscallResult<CopiedPages>> {
    return askForCopies(this.#addon, request);
  }

  pagemap(span: PageSpan, pid: number = 0): SyscallResult<BigUint64Array> {
    const { address, pageCount } = check.span(span, 'span');
    const entries = newArray(BigUint64Array, pageCount, 'pageCount');
    const result = this.#addon.pagemap(check.pid(pid, 'pid'), address, entries);
    return result.ok ? { ok: true, value: entries } : result;
  }

  pagemapScan(request: PagemapScanRequest): SyscallResult<PagemapScan> {
    const { pid, address, pageCount, categories, runsMax, pagesMax } = check.pagemapScan(
      request,
      'request',
    );
    const regions = newArray(BigUint64Array, runsMax * REGION_WORDS, 'runsMax');
    const walkEnd = new BigUint64Array(1);
    const { pagemap_scan } = this.#addon;
    const where = [pid, address, pageCount] as const;
    const scanned = pagemap_scan(...where, categories, pagesMax, regions, walkEnd);
    if (!scanned.ok) return scanned;
    const runs = Array.from({ length: scanned.value }, (_, index) => {
      const [start = 0n, end = 0n, found = 0n] = regions.subarray(index * REGION_WORDS);
      const pageCount = Number((end - start) / BigInt(this.pageSizeBytes));
      return { address: start, pageCount, categories: Number(found) };
    });
    return { ok: true, value: { runs, walkEnd: walkEnd[0] as bigint } };
  }

  mincore(span: PageSpan): SyscallResult<PageSpan[]> {
    return residentRuns(this.#addon, check.span(span, 'span'), this.pageSizeBytes);
  }

  async migratePages(request: MigratePagesRequest): Promise<SyscallResult<number>> {
    const { pid, maxnode, from, to } = check.migratePages(request, 'request');
    return this.#addon.migrate_pages_async(pid, maxnode, from, to);
  }

  async readText(path: string, about?: PageSpan): Promise<SyscallResult<string>> {
    const checked = check.path(path, 'path');
    const file = about === undefined ? -1 : FILES_OF_MAPPINGS.indexOf(checked);
    if (about === undefined || file < 0) return readText(checked);
    const { address, pageCount } = check.span(about, 'about');
    return this.#addon.read_mappings_async(file, address, pageCount * this.pageSizeBytes);
  }

  readTextSync(path: string): SyscallResult<string> {
    return readTextSync(check.path(path, 'path'));
  }

  async writeText(path: string, text: string): Promise<SyscallResult<undefined>> {
    return writeText(check.path(path, 'path'), check.text(text, 'text'));
  }

  stat(path: string): SyscallResult<DeviceNumber> {
    return deviceOfFile(check.path(path, 'path'));
  }

  async readNames(path: string): Promise<SyscallResult<string[]>> {
    return readNames(check.path(path, 'path'));
  }

  #askAllowed(): SyscallResult<readonly number[]> {
    const result = this.#addon.get_mempolicy(MAXNODE_ALL, 0n, MPOL_F.MEMS_ALLOWED);
    return result.ok ? { ok: true, value: nodesOfWords(result.value.nodemask) } : result;
  }
}

function movePagesArguments(request: MovePagesRequest): Parameters<Addon['move_pages']> {
  const checked = check.movePages(request, 'request');
  const { pid, pages, nodes, status, flags, mapping = null } = checked;
  if (isBigUint64Array(pages)) {
    return [pid, pages.length, pages, nodes, status, flags, mapping];
  }
  return [pid, pages.pageCount, pages.address, nodes, status, flags, mapping];
}
