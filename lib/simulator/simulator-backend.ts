/**
 * A simulated thread as a backend: each method decodes its arguments as the addon does, and makes
 * the call.
 *
 * Asynchronous methods do their work when they are called, so that the order of calls decides, and
 * answer in a later turn of the event loop, as a call on another thread would.
 */

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
import { isBigUint64Array, isInt32Array } from '../core/call-arguments.ts';
import type { PolicyCall } from '../core/calls.ts';
import { ERRNO } from '../core/errno.ts';
import { MPOL_F } from '../core/uapi.ts';
import { pagesOfPart } from './backend-mappings.ts';
import type { Caller } from './caller.ts';
import { copyPages } from './copy-pages.ts';
import type { MachineState } from './machine.ts';
import { later, MappingBackend } from './mapping-backend.ts';
import { namesOf, type Reader, textOf, writeFileOf } from './procfs/files.ts';
import { mappedParts } from './procfs/maps.ts';
import { readPagemap, scanPagemap } from './procfs/pagemap.ts';
import { failure, success } from './syscalls/answer.ts';
import { maskMemory, type UserMask } from './syscalls/decode-mask.ts';
import { policyOf } from './syscalls/get-mempolicy.ts';
import { kernelMigratePages } from './syscalls/migrate-pages.ts';
import { mincore } from './syscalls/mincore.ts';
import { type MovePagesArrays, type MovePagesCall, movePages } from './syscalls/move-pages.ts';
import { policyCall } from './syscalls/policy-calls.ts';
import { schedSetaffinity } from './syscalls/process-calls.ts';
import { pageOf } from './syscalls/range-argument.ts';
import { touch } from './syscalls/touch.ts';
import type { Thread } from './tasks/thread.ts';
import { nodeMemoryOf, topologyOf } from './topology-report.ts';
import { touchView, viewAddress } from './viewed-buffers.ts';

export class SimulatorBackend extends MappingBackend implements Backend {
  readonly identity: BackendIdentity;
  readonly pageSizeBytes: number;
  readonly pid: number;
  readonly #caller: Caller;

  constructor(caller: Caller) {
    super(caller);
    const { machine, process } = caller;
    const { release: kernel } = machine;
    this.identity = Object.freeze({ kind: 'simulator', kernel, libnuma: null });
    this.pageSizeBytes = machine.memory.pageSizeBytes;
    this.pid = process.pid;
    this.#caller = caller;
  }

  get #machine(): MachineState {
    return this.#caller.machine;
  }

  get #thread(): Thread {
    return this.#caller.thread;
  }

  get #reader(): Reader {
    return { machine: this.#machine, thread: this.#thread };
  }

  topology(): SyscallResult<TopologySnapshot> {
    const { machine, thread } = this.#reader;
    return this.#call('topology', () => success(topologyOf(machine, thread.memsAllowed)));
  }

  nodeMemory(node: number): SyscallResult<NodeMemory> {
    const name = 'numa_node_size64';
    check.node(node, 'node');
    return this.#call(name, () => {
      const memory = nodeMemoryOf(this.#machine, node);
      return memory === undefined ? failure(name, ERRNO.EINVAL) : success(memory);
    });
  }

  touch(
    mapping: Mapping,
    offsetBytes: number,
    lengthBytes: number,
    access: Access,
  ): SyscallResult<undefined> {
    const part = check.part({ mapping, offsetBytes, lengthBytes }, 'part');
    check.access(access, 'access');
    const pages = pagesOfPart(this.#caller, part);
    if (typeof pages === 'number') return this.#call('touch', () => failure('touch', pages));
    const range = { ...pages, lengthBytes: BigInt(pages.pageCount * this.pageSizeBytes) };
    return this.#caller.callOn(range, 'touch', () =>
      touch(this.#machine, this.#thread, { ...pages, access }),
    );
  }

  touchView(view: Uint8Array, access: Access): SyscallResult<undefined> {
    const bytes = check.view(view, 'view');
    return touchView(this.#caller, bytes, check.access(access, 'access'));
  }

  viewAddress(view: Uint8Array): SyscallResult<bigint> {
    return viewAddress(this.#caller, check.view(view, 'view'));
  }

  setMempolicy(request: SetMempolicyRequest): SyscallResult<undefined> {
    return this.#policyCall('set_mempolicy', check.setMempolicy(request, 'request'));
  }

  getMempolicy(request: GetMempolicyRequest): SyscallResult<GetMempolicyValue> {
    const { flags, address = 0n, maxnode } = check.getMempolicy(request, 'request');
    const { possibleNodeCount } = this.#machine;
    const ask = () => policyOf(this.#thread, { flags, address, maxnode, possibleNodeCount });
    // Only where a page is, or is faulted in for that, depends on what was written.
    const isAboutPage = (flags & MPOL_F.NODE) !== 0;
    return isAboutPage ? this.#call('get_mempolicy', ask) : this.#caller.ask('get_mempolicy', ask);
  }

  getcpu(): SyscallResult<CpuAndNode> {
    const { cpu, cpuNode: node } = this.#thread;
    return this.#caller.ask('getcpu', () => success({ cpu, node }));
  }

  schedSetaffinity(cpus: readonly number[], tid = 0): SyscallResult<undefined> {
    const call = { cpus: check.cpus(cpus, 'cpus'), tid: check.pid(tid, 'tid') };
    return this.#call('sched_setaffinity', () => schedSetaffinity(this.#caller, call));
  }

  schedGetaffinity(): SyscallResult<number[]> {
    const ask = () => success([...this.#thread.affinity]);
    return this.#caller.ask('sched_getaffinity', ask);
  }

  mbind(request: MbindRequest): SyscallResult<undefined> {
    const checked = check.mbind(request, 'request');
    if (checked.flags !== 0) return this.#policyCall('mbind', checked);
    // One that moves and looks at no page says where those that come later will be.
    const { address, lengthBytes } = checked;
    return this.#caller.callOn({ address, lengthBytes: BigInt(lengthBytes) }, 'mbind', (own) =>
      policyCall(own, 'mbind', checked),
    );
  }

  setMempolicyHomeNode(request: SetMempolicyHomeNodeRequest): SyscallResult<undefined> {
    const checked = check.setMempolicyHomeNode(request, 'request');
    return this.#policyCall('set_mempolicy_home_node', checked);
  }

  maps(span: PageSpan): SyscallResult<PageSpan[]> {
    const checked = check.span(span, 'span');
    return this.#call('open', () => success(mappedParts(this.#thread.mm, checked)));
  }

  async movePages(request: MovePagesRequest): Promise<SyscallResult<number>> {
    return later(this.movePagesSync(request));
  }

  movePagesSync(request: MovePagesRequest): SyscallResult<number> {
    const checked = check.movePages(request, 'request');
    const { mapping } = checked;
    const isGone = mapping !== undefined && this.#caller.mappings.find(mapping) === undefined;
    return this.#call('move_pages', () => {
      if (isGone) return failure('move_pages', ERRNO.ENOENT);
      const arrays = movePagesArrays(checked, this.pageSizeBytes);
      return movePages(this.#machine, this.#thread, arrays);
    });
  }

  async copyPages(request: CopyPagesRequest): Promise<SyscallResult<CopiedPages>> {
    const checked = check.copyPages(request, 'request');
    return later(this.#call('copy_pages', () => copyPages(this.#caller, checked)));
  }

  pagemap(span: PageSpan, pid = 0): SyscallResult<BigUint64Array> {
    const checked = check.span(span, 'span');
    const of = check.pid(pid, 'pid');
    return this.#call('open', () => readPagemap(this.#reader, checked, of));
  }

  pagemapScan(request: PagemapScanRequest): SyscallResult<PagemapScan> {
    const checked = check.pagemapScan(request, 'request');
    return this.#call('open', () => scanPagemap(this.#reader, checked));
  }

  mincore(span: PageSpan): SyscallResult<PageSpan[]> {
    const checked = check.span(span, 'span');
    return this.#call('mincore', () => mincore(this.#thread.mm, checked));
  }

  async migratePages(request: MigratePagesRequest): Promise<SyscallResult<number>> {
    const { pid, maxnode, from, to } = check.migratePages(request, 'request');
    const maskOf = (words: BigUint64Array | null): UserMask => ({
      memory: words === null ? null : maskMemory(words),
      maxnode: BigInt(maxnode),
    });
    const call = { pid, from: maskOf(from), to: maskOf(to) };
    const { machine, thread } = this.#reader;
    return later(this.#call('migrate_pages', () => kernelMigratePages(machine, thread, call)));
  }

  async readText(path: string, about?: PageSpan): Promise<SyscallResult<string>> {
    if (about !== undefined) check.span(about, 'about');
    return later(this.readTextSync(path));
  }

  readTextSync(path: string): SyscallResult<string> {
    const checked = check.path(path, 'path');
    return this.#call('open', () => textOf(this.#reader, checked));
  }

  async writeText(path: string, text: string): Promise<SyscallResult<undefined>> {
    const request = [check.path(path, 'path'), check.text(text, 'text')] as const;
    return later(this.#call('open', () => writeFileOf(this.#reader, ...request)));
  }

  stat(path: string): SyscallResult<DeviceNumber> {
    check.path(path, 'path');
    return failure('stat', ERRNO.ENOENT);
  }

  async readNames(path: string): Promise<SyscallResult<string[]>> {
    const checked = check.path(path, 'path');
    return later(this.#call('scandir', () => namesOf(this.#reader, checked)));
  }

  #policyCall(call: PolicyCall, checked: object): SyscallResult<undefined> {
    return this.#call(call, () => policyCall(this.#thread, call, checked));
  }

  #call<T>(name: string, body: () => SyscallResult<T>): SyscallResult<T> {
    return this.#caller.call(name, body);
  }
}

function movePagesArrays(request: MovePagesRequest, pageSizeBytes: number): MovePagesCall {
  const { pid, pages, nodes, status, flags } = request;
  return {
    pid,
    flags,
    ...pagesArgument(pages, pageSizeBytes),
    node: nodes === null ? null : nodeOf(nodes),
    store: (index, value) => {
      status[index] = value;
      return true;
    },
    ...spanOf(request, pageSizeBytes),
  };
}

type PagesArgument = Pick<MovePagesArrays, 'count' | 'address'>;

function pagesArgument(pages: MovePagesRequest['pages'], pageSizeBytes: number): PagesArgument {
  if (isBigUint64Array(pages)) {
    return { count: pages.length, address: (index) => pages[index] };
  }
  const { address, pageCount } = pages;
  const size = BigInt(pageSizeBytes);
  return { count: pageCount, address: (index) => address + BigInt(index) * size };
}

function spanOf(
  { pages, nodes, status }: MovePagesRequest,
  pageSizeBytes: number,
): Pick<MovePagesArrays, 'span'> {
  if (isBigUint64Array(pages) || isInt32Array(nodes)) return {};
  return { span: { firstPage: pageOf(pages.address, pageSizeBytes), status } };
}

function nodeOf(nodes: number | Int32Array): (index: number) => number | undefined {
  return typeof nodes === 'number' ? () => nodes : (index) => nodes[index];
}
