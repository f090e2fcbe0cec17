/** A process of the contract, played by a puppet: methods to lines, lines to results. */

import type {
  Access,
  GetMempolicyRequest,
  GetMempolicyValue,
  MovePagesRequest,
} from '../../lib/backend/backend.ts';
import type { SyscallFailure, SyscallResult } from '../../lib/backend/syscall-result.ts';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import type {
  AreaCalls,
  MmapRequest,
  ObjectCalls,
  PointerCalls,
  PolicyRequest,
  RingCalls,
  StateCalls,
  StoredPolicy,
  ThreadCalls,
  WorldHomeNodeRequest,
  WorldMbindRequest,
  WorldMigratePagesRequest,
  WorldProcess,
} from '../contract/world.ts';
import type { FileCalls } from '../contract/world-files.ts';
import type { Line, Reply } from './channel.ts';
import { arrayText, hex, listOf, maskPairText, maskText, statusText } from './line-text.ts';
import { fileCalls, machineFiles, writeFile } from './puppet-files.ts';
import { areaCalls, objectCalls, ringCalls } from './puppet-memory.ts';
import { stateCalls } from './puppet-states.ts';

const PROTECTION = { none: 0, read: 1, 'write-only': 2, write: 3 } as const;
const UNWRITTEN_MODE = -1;

function failure(syscall: string, errno: number): SyscallFailure {
  return { ok: false, errno, syscall };
}

/** The status array as the call left it, failed or not. */
function readStatus(reply: Reply, status: Int32Array): void {
  for (const [index, value] of listOf(reply.values.at(-1)).entries()) status[index] = Number(value);
}

export class PuppetProcess implements WorldProcess {
  readonly pid: number;
  readonly pointers: PointerCalls;
  readonly objects: ObjectCalls;
  readonly areas: AreaCalls;
  readonly rings: RingCalls;
  readonly states: StateCalls;
  readonly files: FileCalls;
  readonly threads: ThreadCalls;
  readonly #channel: Line;
  readonly #prefix: string;
  readonly #pageSizeBytes: number;
  #hasEnded = false;
  #killedBy: number | null = null;

  /** `prefix` leads from the channel's puppet down to this process. */
  constructor(channel: Line, prefix: string, pid: number, pageSizeBytes: number) {
    this.pid = pid;
    this.#channel = channel;
    this.#prefix = prefix;
    this.#pageSizeBytes = pageSizeBytes;
    this.pointers = {
      getMempolicy: (request) => this.#getStoredPolicy(request),
      movePages: (request) => this.#movePagesAt(request),
    };
    const send = (line: string): Promise<Reply> => this.#send(line);
    this.objects = objectCalls(send, pageSizeBytes);
    const files = machineFiles((line) => channel.send(line));
    this.areas = areaCalls(send, files, pid, pageSizeBytes);
    this.rings = ringCalls(send, pageSizeBytes);
    this.states = stateCalls(send);
    this.files = fileCalls(send);
    this.threads = {
      create: () => this.#createThread(),
      exec: () => this.#act('exec', ''),
      affinity: () =>
        this.#call('affinity', '', ({ values }) => listOf(values[0]).map((cpu) => Number(cpu))),
    };
  }

  get killedBy(): number | null {
    return this.#killedBy;
  }

  async mmap({ address = 0n, pageCount, shared }: MmapRequest): Promise<SyscallResult<bigint>> {
    const kind = shared === true ? 'shared' : 'private';
    return this.#call(
      'mmap',
      `${hex(address)} ${pageCount * this.#pageSizeBytes} ${kind} ${PROTECTION.write}`,
      ({ values }) => BigInt(values[0] as string),
    );
  }

  munmap(address: bigint, pageCount: number): Promise<SyscallResult<undefined>> {
    return this.#act('munmap', this.#range(address, pageCount));
  }

  mprotect(
    address: bigint,
    pageCount: number,
    access: Access | 'none' | 'write-only',
  ): Promise<SyscallResult<undefined>> {
    return this.#act('mprotect', `${this.#range(address, pageCount)} ${PROTECTION[access]}`);
  }

  mlock(address: bigint, pageCount: number): Promise<SyscallResult<undefined>> {
    return this.#act('mlock', this.#range(address, pageCount));
  }

  munlock(address: bigint, pageCount: number): Promise<SyscallResult<undefined>> {
    return this.#act('munlock', this.#range(address, pageCount));
  }

  touch(address: bigint, pageCount: number, access: Access): Promise<SyscallResult<undefined>> {
    return this.#act('touch', `${hex(address)} ${pageCount} ${access}`);
  }

  keepTouching(
    address: bigint,
    pageCount: number,
    access: Access | 'count',
    milliseconds: number,
  ): Promise<SyscallResult<undefined>> {
    return this.#act('keep_touching', `${hex(address)} ${pageCount} ${access} ${milliseconds}`);
  }

  store(address: bigint, value: bigint): Promise<SyscallResult<undefined>> {
    return this.#act('store', `${hex(address)} ${hex(value)}`);
  }

  load(address: bigint): Promise<SyscallResult<bigint>> {
    return this.#call('load', hex(address), ({ values }) => BigInt(values[0] as string));
  }

  setMempolicy({ mode, nodemask }: PolicyRequest): Promise<SyscallResult<undefined>> {
    return this.#act('set_mempolicy', `${mode} ${maskText(nodemask)}`);
  }

  async getMempolicy(request: GetMempolicyRequest): Promise<SyscallResult<GetMempolicyValue>> {
    const stored = await this.#getStoredPolicy(
      request.maxnode === 0 ? { ...request, mask: 0n } : request,
    );
    if (!stored.result.ok) return stored.result;
    return {
      ok: true,
      value: { mode: stored.mode ?? UNWRITTEN_MODE, nodemask: BigUint64Array.from(stored.words) },
    };
  }

  mbind(request: WorldMbindRequest): Promise<SyscallResult<undefined>> {
    const { address, lengthBytes, mode, nodemask, flags } = request;
    return this.#act(
      'mbind',
      `${hex(address)} ${hex(lengthBytes)} ${mode} ${maskText(nodemask)} ${hex(flags)}`,
    );
  }

  setMempolicyHomeNode(request: WorldHomeNodeRequest): Promise<SyscallResult<undefined>> {
    const { address, lengthBytes, node, flags } = request;
    return this.#act(
      'set_mempolicy_home_node',
      `${hex(address)} ${hex(lengthBytes)} ${hex(node)} ${hex(flags)}`,
    );
  }

  async movePages(request: MovePagesRequest): Promise<SyscallResult<number>> {
    const { pid, pages, nodes, flags, status } = request;
    const isList = pages instanceof BigUint64Array;
    const count = isList ? pages.length : pages.pageCount;
    const pagesText = isList ? Array.from(pages, hex).join(',') : `span:${hex(pages.address)}`;
    let nodesText = 'null';
    if (typeof nodes === 'number') nodesText = `all:${nodes}`;
    else if (nodes !== null) nodesText = nodes.join(',');
    const reply = await this.#send(
      `move_pages ${pid} ${count} ${pagesText || 'null'} ${nodesText || 'null'} ` +
        `${statusText(status)} ${flags}`,
    );
    readStatus(reply, status);
    if (reply.errno !== 0) return failure('move_pages', reply.errno);
    return { ok: true, value: Number(reply.values[0]) };
  }

  migratePages({ pid, from, to }: WorldMigratePagesRequest): Promise<SyscallResult<number>> {
    return this.#call('migrate_pages', `${pid} ${maskPairText(from, to)}`, ({ values }) =>
      Number(values[0]),
    );
  }

  async fork(): Promise<WorldProcess> {
    const reply = await this.#send('fork');
    if (reply.errno !== 0) throw new Error(`fork failed: errno ${reply.errno}`);
    const [id, pid] = reply.values;
    const prefix = `${this.#prefix}child ${id} `;
    return new PuppetProcess(this.#channel, prefix, Number(pid), this.#pageSizeBytes);
  }

  setuid(uid: number): Promise<SyscallResult<undefined>> {
    return this.#act('setuid', String(uid));
  }

  /** Not part of a world: its settings write files through it. */
  writeFile(path: string, text: string): Promise<SyscallResult<undefined>> {
    return writeFile((line) => this.#send(line), path, text);
  }

  setDumpable(): Promise<SyscallResult<undefined>> {
    return this.#act('set_dumpable', '');
  }

  pin(address: bigint, pageCount: number): Promise<SyscallResult<number>> {
    return this.#call('pin', this.#range(address, pageCount), ({ values }) => Number(values[0]));
  }

  unpin(pin: number): Promise<SyscallResult<undefined>> {
    return this.#act('unpin', String(pin));
  }

  runOnCpu(cpu: number): Promise<SyscallResult<undefined>> {
    return this.#act('run_on_cpu', String(cpu));
  }

  async exit(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    await this.#send('exit');
  }

  async #getStoredPolicy(
    request: Parameters<PointerCalls['getMempolicy']>[0],
  ): Promise<StoredPolicy> {
    const { flags, address = 0n, maxnode, mask, mode } = request;
    const maskText = mask === undefined ? 'buffer' : `@${hex(mask)}`;
    const modeText = mode === undefined ? 'mode' : `@${hex(mode)}`;
    const { errno, values } = await this.#send(
      `get_mempolicy ${hex(flags)} ${hex(address)} ${hex(maxnode)} ${maskText} ${modeText}`,
    );
    const stored = Number(values[0]);
    return {
      result: errno === 0 ? { ok: true, value: undefined } : failure('get_mempolicy', errno),
      mode: stored === UNWRITTEN_MODE ? null : stored,
      words: listOf(values[1]).map(BigInt),
    };
  }

  async #movePagesAt(
    request: Parameters<PointerCalls['movePages']>[0],
  ): Promise<SyscallResult<number>> {
    const { count, pages, nodes, status, flags = MPOL_MF.MOVE } = request;
    const nodesText = typeof nodes === 'number' ? `all:${nodes}` : arrayText(nodes, count);
    const [pagesText, statusText] = [arrayText(pages, count), arrayText(status, count)];
    const reply = await this.#send(
      `move_pages 0 ${count} ${pagesText} ${nodesText} ${statusText} ${flags}`,
    );
    if (typeof status !== 'bigint') readStatus(reply, status);
    if (reply.errno !== 0) return failure('move_pages', reply.errno);
    return { ok: true, value: Number(reply.values[0]) };
  }

  #range(address: bigint, pageCount: number): string {
    return `${hex(address)} ${pageCount * this.#pageSizeBytes}`;
  }

  async #createThread(): Promise<WorldProcess> {
    const { errno, values } = await this.#send('thread');
    if (errno !== 0) throw new Error(`no thread: errno ${errno}`);
    const prefix = `${this.#prefix}on_thread ${values[0]} `;
    return new PuppetProcess(this.#channel, prefix, this.pid, this.#pageSizeBytes);
  }

  async #send(line: string): Promise<Reply> {
    const reply = await this.#channel.send(`${this.#prefix}${line}`);
    if (reply.errno !== 0 && reply.values[0] === 'killed') this.#killedBy = Number(reply.values[1]);
    return reply;
  }

  async #call<T>(name: string, rest: string, read: (reply: Reply) => T): Promise<SyscallResult<T>> {
    const reply = await this.#send(`${name} ${rest}`);
    if (reply.errno !== 0) return failure(name, reply.errno);
    return { ok: true, value: read(reply) };
  }

  #act(name: string, rest: string): Promise<SyscallResult<undefined>> {
    return this.#call(name, rest, () => undefined);
  }
}
