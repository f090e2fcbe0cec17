/** A process of the contract on a simulated machine. */

import type {
  Access,
  GetMempolicyRequest,
  GetMempolicyValue,
  MovePagesRequest,
} from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import { ERRNO } from '../../lib/core/errno.ts';
import { MPOL_MF } from '../../lib/core/uapi.ts';
import type { Machine } from '../../lib/simulator/machine.ts';
import { answer, DONE, failure, success } from '../../lib/simulator/syscalls/answer.ts';
import { getMempolicy } from '../../lib/simulator/syscalls/get-mempolicy.ts';
import { keepTouching } from '../../lib/simulator/syscalls/keep-touching.ts';
import { mlock, mmap, mprotect, munmap } from '../../lib/simulator/syscalls/mapping-calls.ts';
import { mbind } from '../../lib/simulator/syscalls/mbind.ts';
import { migratePages } from '../../lib/simulator/syscalls/migrate-pages.ts';
import { movePages } from '../../lib/simulator/syscalls/move-pages.ts';
import { pinPages, unpinPages } from '../../lib/simulator/syscalls/pin-pages.ts';
import { setMempolicy } from '../../lib/simulator/syscalls/set-mempolicy.ts';
import { setMempolicyHomeNode } from '../../lib/simulator/syscalls/set-mempolicy-home-node.ts';
import { touch } from '../../lib/simulator/syscalls/touch.ts';
import { readWord, writableBytes, writeWord } from '../../lib/simulator/syscalls/user-memory.ts';
import { changeUser } from '../../lib/simulator/tasks/credentials.ts';
import type { Process } from '../../lib/simulator/tasks/process.ts';
import type { Thread } from '../../lib/simulator/tasks/thread.ts';
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
import { simulatedAreas } from './simulated-areas.ts';
import { simulatedObjects } from './simulated-objects.ts';
import { movePagesArrays, userMask } from './simulated-pointers.ts';
import { simulatedRings } from './simulated-rings.ts';
import { stateCalls, threadCalls } from './simulated-threads.ts';

/** What a call's own buffer can take: more than any mask. */
const BUFFER_BYTES = 65_536n;
const SIGKILL = 9;

export class SimulatedProcess implements WorldProcess {
  readonly pid: number;
  readonly pointers: PointerCalls;
  readonly threads: ThreadCalls;
  readonly states: StateCalls;
  readonly objects: ObjectCalls;
  readonly areas: AreaCalls;
  readonly rings: RingCalls;
  readonly #machine: Machine;
  readonly #process: Process;
  readonly #tid: number;

  constructor(machine: Machine, process: Process, thread: Thread = process.mainThread) {
    this.pid = process.pid;
    this.#machine = machine;
    this.#process = process;
    this.#tid = thread.tid;
    const own = (): Thread => this.#thread;
    this.threads = threadCalls(
      machine,
      own,
      (made) => new SimulatedProcess(machine, process, made),
    );
    this.states = stateCalls(machine, own);
    this.objects = simulatedObjects(machine, own);
    this.areas = simulatedAreas(machine, own);
    this.rings = simulatedRings(machine, own);
    this.pointers = {
      getMempolicy: async (request) => this.#storedPolicy(request),
      movePages: async ({ count, pages, nodes, status }) => {
        const list = typeof pages === 'bigint' ? pages : (index: number) => pages[index];
        const arrays = movePagesArrays(own(), { count, pages: list, nodes, status });
        return movePages(machine, own(), { ...arrays, pid: 0, flags: MPOL_MF.MOVE });
      },
    };
  }

  /** The first one, where its own has ended. */
  get #thread(): Thread {
    const { threads, mainThread } = this.#process;
    return threads.find(({ tid }) => tid === this.#tid) ?? mainThread;
  }

  get killedBy(): number | null {
    return this.#process.isRunning ? null : SIGKILL;
  }

  async mmap({
    address = 0n,
    pageCount,
    shared = false,
  }: MmapRequest): Promise<SyscallResult<bigint>> {
    const request = { address, pageCount, isShared: shared, object: null, offset: 0 };
    return mmap(this.#machine, this.#thread, { ...request, access: 'write' });
  }

  async munmap(address: bigint, pageCount: number): Promise<SyscallResult<undefined>> {
    return munmap(this.#thread, { address, pageCount });
  }

  async mprotect(
    address: bigint,
    pageCount: number,
    access: Access | 'none' | 'write-only',
  ): Promise<SyscallResult<undefined>> {
    return mprotect(this.#thread, { address, pageCount, access });
  }

  async mlock(address: bigint, pageCount: number): Promise<SyscallResult<undefined>> {
    return mlock(this.#thread, { address, pageCount });
  }

  async touch(
    address: bigint,
    pageCount: number,
    access: Access,
  ): Promise<SyscallResult<undefined>> {
    return touch(this.#machine, this.#thread, { address, pageCount, access });
  }

  async keepTouching(
    address: bigint,
    pageCount: number,
    access: Access | 'count',
    milliseconds: number,
  ): Promise<SyscallResult<undefined>> {
    return keepTouching(this.#machine, this.#thread, { address, pageCount, access, milliseconds });
  }

  async store(address: bigint, value: bigint): Promise<SyscallResult<undefined>> {
    return answer('store', writeWord(this.#thread, address, value) ? 0 : ERRNO.EFAULT);
  }

  async load(address: bigint): Promise<SyscallResult<bigint>> {
    const value = readWord(this.#thread, address);
    return value === undefined ? failure('load', ERRNO.EFAULT) : success(value);
  }

  async setMempolicy({ mode, nodemask }: PolicyRequest): Promise<SyscallResult<undefined>> {
    return setMempolicy(this.#thread, { mode, nodemask: userMask(this.#thread, nodemask) });
  }

  async getMempolicy(request: GetMempolicyRequest): Promise<SyscallResult<GetMempolicyValue>> {
    const mask = request.maxnode === 0 ? { mask: 0n } : {};
    const { result, mode, words } = this.#storedPolicy({ ...request, ...mask });
    if (!result.ok) return result;
    return success({ mode: mode as number, nodemask: BigUint64Array.from(words) });
  }

  async mbind(request: WorldMbindRequest): Promise<SyscallResult<undefined>> {
    const { address, lengthBytes, mode, nodemask, flags } = request;
    return mbind(this.#thread, {
      address,
      lengthBytes: BigInt(lengthBytes),
      mode,
      nodemask: userMask(this.#thread, nodemask),
      flags: Number(BigInt.asIntN(32, BigInt(flags))),
    });
  }

  async setMempolicyHomeNode(request: WorldHomeNodeRequest): Promise<SyscallResult<undefined>> {
    const { address, lengthBytes, node, flags } = request;
    return setMempolicyHomeNode(this.#thread, {
      address,
      lengthBytes: BigInt(lengthBytes),
      node: BigInt(node),
      flags: BigInt(flags),
    });
  }

  async movePages(request: MovePagesRequest): Promise<SyscallResult<number>> {
    const { pid, pages, nodes, flags, status } = request;
    const isList = pages instanceof BigUint64Array;
    const size = BigInt(this.#machine.memory.pageSizeBytes);
    const arrays = movePagesArrays(this.#thread, {
      count: isList ? pages.length : pages.pageCount,
      pages: isList ? (index) => pages[index] : (index) => pages.address + BigInt(index) * size,
      nodes,
      status,
    });
    return movePages(this.#machine, this.#thread, { ...arrays, pid, flags });
  }

  async migratePages(request: WorldMigratePagesRequest): Promise<SyscallResult<number>> {
    const thread = this.#thread;
    const from = userMask(thread, request.from);
    const to = userMask(thread, request.to);
    return migratePages(this.#machine, thread, { pid: request.pid, ...joined(from, to) });
  }

  async fork(): Promise<WorldProcess> {
    const child = this.#machine.fork(this.#thread);
    if (child === undefined) throw new Error(`fork failed: errno ${ERRNO.ENOMEM}`);
    return new SimulatedProcess(this.#machine, child);
  }

  async setuid(uid: number): Promise<SyscallResult<undefined>> {
    const changed = changeUser(this.#process.credentials, uid);
    if ('errno' in changed) return failure('setuid', changed.errno);
    this.#process.credentials = changed;
    return DONE;
  }

  async setDumpable(): Promise<SyscallResult<undefined>> {
    this.#process.credentials = { ...this.#process.credentials, isDumpable: true };
    return DONE;
  }

  async pin(address: bigint, pageCount: number): Promise<SyscallResult<number>> {
    return pinPages(this.#thread, { address, pageCount, kind: 'reference' });
  }

  async unpin(pin: number): Promise<SyscallResult<undefined>> {
    return unpinPages(this.#thread, pin);
  }

  async runOnCpu(cpu: number): Promise<SyscallResult<undefined>> {
    if (!this.#machine.cpus.has(cpu)) return failure('sched_setaffinity', ERRNO.EINVAL);
    this.#thread.affinity = [cpu];
    this.#thread.cpu = cpu;
    return DONE;
  }

  async exit(): Promise<void> {
    this.#machine.exit(this.#process);
  }

  #storedPolicy(request: Parameters<PointerCalls['getMempolicy']>[0]): StoredPolicy {
    const thread = this.#thread;
    const { flags, address = 0n, maxnode, mask, mode } = request;
    return getMempolicy(thread, {
      flags,
      address,
      maxnode: BigInt(maxnode),
      hasMask: mask !== 0n,
      hasMode: mode !== 0n,
      writableMaskBytes:
        mask === undefined ? BUFFER_BYTES : writableBytes(thread, mask, BUFFER_BYTES),
      isModeWritable: mode === undefined || writableBytes(thread, mode, 1n) > 0n,
      possibleNodeCount: this.#machine.possibleNodeCount,
    });
  }
}

type Masks = { from: ReturnType<typeof userMask>; to: ReturnType<typeof userMask> };

/** migrate_pages has one maxnode for both masks. */
function joined(from: Masks['from'], to: Masks['to']): Masks {
  const maxnode = from.maxnode > to.maxnode ? from.maxnode : to.maxnode;
  return { from: { ...from, maxnode }, to: { ...to, maxnode } };
}
