/** A process of a simulated machine, as the contract asks for one. */

import type {
  Access,
  GetMempolicyRequest,
  GetMempolicyValue,
  MovePagesRequest,
} from '../../lib/backend/backend.ts';
import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { Protection, SimulatedProcess, SimulatedThread } from '../../lib/simulator/public.ts';
import { fileCallsOf } from '../contract/backend-world.ts';
import type {
  AreaCalls,
  MmapRequest,
  ObjectCalls,
  PointerCalls,
  PolicyRequest,
  RingCalls,
  StateCalls,
  ThreadCalls,
  WorldHomeNodeRequest,
  WorldMbindRequest,
  WorldMigratePagesRequest,
  WorldProcess,
} from '../contract/world.ts';
import type { FileCalls } from '../contract/world-files.ts';
import {
  areaCalls,
  objectCalls,
  pointerCalls,
  ringCalls,
  stateCalls,
  threadCalls,
} from './simulated-groups.ts';

const SIGKILL = 9;

type Done = Promise<SyscallResult<undefined>>;

export class SimulatedWorldProcess implements WorldProcess {
  readonly pid: number;
  readonly pointers: PointerCalls;
  readonly threads: ThreadCalls;
  readonly states: StateCalls;
  readonly objects: ObjectCalls;
  readonly areas: AreaCalls;
  readonly files: FileCalls;
  readonly rings: RingCalls;
  readonly #process: SimulatedProcess;
  readonly #thread: SimulatedThread;

  readonly #known: Map<number, SimulatedProcess>;

  /** @param known gets to know the process by its id */
  constructor(
    known: Map<number, SimulatedProcess>,
    process: SimulatedProcess,
    thread: SimulatedThread = process.mainThread,
  ) {
    known.set(process.pid, process);
    this.#known = known;
    this.pid = process.pid;
    this.#process = process;
    this.#thread = thread;
    this.threads = threadCalls(thread, (made) => new SimulatedWorldProcess(known, process, made));
    this.states = stateCalls(process, thread);
    this.objects = objectCalls(thread);
    this.areas = areaCalls(process, thread);
    this.files = fileCallsOf(thread.backend);
    this.rings = ringCalls(thread);
    this.pointers = pointerCalls(thread);
  }

  get killedBy(): number | null {
    return this.#process.isRunning ? null : SIGKILL;
  }

  async mmap({ shared = false, ...request }: MmapRequest): Promise<SyscallResult<bigint>> {
    return this.#thread.memory.mmap({ ...request, isShared: shared });
  }

  async munmap(address: bigint, pageCount: number): Done {
    return this.#thread.memory.munmap({ address, pageCount });
  }

  async mprotect(address: bigint, pageCount: number, access: Protection): Done {
    return this.#thread.memory.mprotect({ address, pageCount }, access);
  }

  async mlock(address: bigint, pageCount: number): Done {
    return this.#thread.memory.mlock({ address, pageCount });
  }

  async munlock(address: bigint, pageCount: number): Done {
    return this.#thread.memory.munlock({ address, pageCount });
  }

  async touch(address: bigint, pageCount: number, access: Access): Done {
    return this.#thread.memory.touch({ address, pageCount }, access);
  }

  async keepTouching(
    address: bigint,
    pageCount: number,
    access: Access | 'count',
    milliseconds: number,
  ): Done {
    return this.#thread.memory.keepTouching({ address, pageCount }, access, milliseconds);
  }

  async store(address: bigint, value: bigint): Done {
    return this.#thread.memory.store(address, value);
  }

  async load(address: bigint): Promise<SyscallResult<bigint>> {
    return this.#thread.memory.load(address);
  }

  async setMempolicy(request: PolicyRequest): Done {
    return this.#thread.numa.setMempolicy(request);
  }

  async getMempolicy(request: GetMempolicyRequest): Promise<SyscallResult<GetMempolicyValue>> {
    return this.#thread.backend.getMempolicy(request);
  }

  async mbind(request: WorldMbindRequest): Done {
    return this.#thread.numa.mbind(request);
  }

  async setMempolicyHomeNode(request: WorldHomeNodeRequest): Done {
    return this.#thread.numa.setMempolicyHomeNode(request);
  }

  async movePages(request: MovePagesRequest): Promise<SyscallResult<number>> {
    return this.#thread.backend.movePagesSync(request);
  }

  async migratePages(request: WorldMigratePagesRequest): Promise<SyscallResult<number>> {
    return this.#thread.numa.migratePages(request);
  }

  async fork(): Promise<WorldProcess> {
    return new SimulatedWorldProcess(this.#known, this.#thread.fork());
  }

  async setuid(uid: number): Done {
    return this.#process.setuid(uid);
  }

  async setDumpable(): Done {
    this.#process.isDumpable = true;
    return { ok: true, value: undefined };
  }

  async pin(address: bigint, pageCount: number): Promise<SyscallResult<number>> {
    return this.#thread.references.splice({ address, pageCount });
  }

  async unpin(pin: number): Done {
    return this.#thread.references.close(pin);
  }

  async runOnCpu(cpu: number): Done {
    return this.#thread.backend.schedSetaffinity([cpu]);
  }

  async exit(): Promise<void> {
    this.#process.exit();
  }
}
