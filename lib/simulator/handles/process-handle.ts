/** Processes and threads of a simulated machine, behind the interfaces that users have. */

import type { Backend, PageSpan } from '../../backend/backend.ts';
import { span as checkSpan } from '../../backend/requests.ts';
import type { SyscallResult } from '../../backend/syscall-result.ts';
import { invalidArgumentType } from '../../core/argument-errors.ts';
import {
  checkAddress,
  checkArray,
  checkFlag,
  checkInteger,
  checkOptions,
  checkWord,
} from '../../core/check-arguments.ts';
import { ERRNO } from '../../core/errno.ts';
import { type Explanation, NumaError, systemError } from '../../core/errors.ts';
import { UID_MAX } from '../../core/uapi.ts';
import type { AreaCalls } from '../../machine/areas.ts';
import type { MemoryCalls } from '../../machine/memory.ts';
import type { NumaCalls } from '../../machine/numa.ts';
import type { ObjectCalls } from '../../machine/objects.ts';
import type { ProcessCapability } from '../../machine/process.ts';
import type { ReferenceCalls } from '../../machine/references.ts';
import { Caller } from '../caller.ts';
import type {
  PageState,
  ProcessOptions,
  SimulatedProcess,
  SimulatedThread,
  SteppedCalls,
} from '../interface/simulated-process.ts';
import type { MachineState } from '../machine.ts';
import { mergedPageCount } from '../memory/ksm.ts';
import { pageStateOf } from '../page-state.ts';
import { ProcessMappings } from '../process-mappings.ts';
import { SimulatorBackend } from '../simulator-backend.ts';
import { DONE, failure } from '../syscalls/answer.ts';
import { pinPages, unpinPages } from '../syscalls/pin-pages.ts';
import { forkEnded, unshareUser } from '../syscalls/process-calls.ts';
import { pageOf } from '../syscalls/range-argument.ts';
import {
  CAPABILITIES,
  type Credentials,
  changeUser,
  ROOT_CREDENTIALS,
  userCredentials,
} from '../tasks/credentials.ts';
import type { Process } from '../tasks/process.ts';
import type { Thread } from '../tasks/thread.ts';
import { callsOf } from './thread-calls.ts';

const KIND = 'simulator';
/** TASK_COMM_LEN without the zero at the end. */
const NAME_BYTES_MAX = 15;
/** EFAULT, all that may come of it. */
const UNPINNABLE: Explanation = {
  code: 'NUMA_RANGE_UNMAPPED',
  rule: 'part of the range is not mapped, may not be written, or has pages that nobody may hold',
  hint: 'name a range inside one live mapping of ordinary memory',
};
const FULL: Explanation = {
  code: 'NUMA_OUT_OF_MEMORY',
  rule: 'no node has room for the pages that a child has copies of at once: pinned ones',
  hint: 'unpin pages, or free memory',
};
const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as ProcessCapability[];

/** Checked options as the simulator keeps them. @throws TypeError, RangeError */
export function credentialsOf(options: ProcessOptions | undefined): Credentials {
  const { uid = 0, capabilities } = checkOptions(options, 'options', ['uid', 'capabilities']);
  checkInteger(uid, 'options.uid', 0, UID_MAX);
  const base = uid === 0 ? ROOT_CREDENTIALS : userCredentials(uid);
  if (capabilities === undefined) return base;
  const names = checkArray(capabilities, 'options.capabilities').map((name) =>
    checkWord(name, 'options.capabilities', CAPABILITY_NAMES),
  );
  const canSetNice = names.includes('CAP_SYS_NICE');
  const canTrace = names.includes('CAP_SYS_PTRACE');
  // Root may always become another user.
  const canSetUid = base.canSetUid || names.includes('CAP_SETUID');
  return { ...base, canSetNice, canTrace, canSetUid };
}

export class ThreadHandle implements SimulatedThread {
  readonly backend: Backend;
  readonly memory: MemoryCalls;
  readonly areas: AreaCalls;
  readonly objects: ObjectCalls;
  readonly references: ReferenceCalls;
  readonly numa: NumaCalls;
  readonly steps: SteppedCalls;
  readonly #caller: Caller;

  constructor(machine: MachineState, thread: Thread, mappings: ProcessMappings) {
    this.#caller = new Caller(machine, thread, mappings);
    this.backend = new SimulatorBackend(this.#caller);
    const { memory, areas, objects, references, numa, steps } = callsOf(this.#caller);
    this.memory = memory;
    this.areas = areas;
    this.objects = objects;
    this.references = references;
    this.numa = numa;
    this.steps = steps;
  }

  get tid(): number {
    return this.#caller.thread.tid;
  }

  get cpu(): number {
    return this.#caller.thread.cpu;
  }

  pin(span: PageSpan): () => void {
    const { address, pageCount } = checkSpan(span, 'span');
    checkInteger(pageCount, 'pageCount', 1);
    const thread = this.#running();
    const pinned = pinPages(thread, { address, pageCount, kind: 'pin' });
    if (pinned.ok) return () => void unpinPages(thread, pinned.value);
    const { syscall, errno } = pinned;
    const about = { asked: `pinning ${pageCount} pages`, args: { address, pageCount } };
    throw systemError({ syscall, errno, ...about, backend: KIND, explanation: UNPINNABLE });
  }

  thread(): SimulatedThread {
    const { machine, mappings } = this.#caller;
    return new ThreadHandle(machine, machine.startThread(this.#running()), mappings);
  }

  fork(): SimulatedProcess {
    const { machine, mappings } = this.#caller;
    const child = machine.fork(this.#running());
    if (child === undefined) {
      const call = { syscall: 'fork', errno: ERRNO.ENOMEM, asked: 'a child process', args: {} };
      throw systemError({ ...call, backend: KIND, explanation: FULL });
    }
    const copied = new ProcessMappings(child.pid, machine.memory.pageSizeBytes);
    mappings.copyInto(copied);
    return new ProcessHandle(machine, child, copied);
  }

  forkEnded(): SyscallResult<number> {
    return this.#caller.call('fork', (thread) => forkEnded(this.#caller.machine, thread));
  }

  exec(): SyscallResult<undefined> {
    return this.#caller.execute();
  }

  /** Sees what was written through JavaScript, as every call does before it begins. */
  settle(): boolean {
    return this.#caller.settle();
  }

  #running(): Thread {
    if (!this.settle()) throw ended();
    return this.#caller.thread;
  }
}

function ended(): NumaError {
  return new NumaError('this process has ended', {
    code: 'NUMA_NO_SUCH_PROCESS',
    backend: KIND,
    hint: 'make another with machine.process()',
  });
}

/** Whether it is one itself, and no object that only inherits from one. */
export let isProcess: (value: unknown) => value is ProcessHandle;

export class ProcessHandle implements SimulatedProcess {
  static {
    isProcess = (value): value is ProcessHandle =>
      typeof value === 'object' && value !== null && #process in value;
  }

  readonly mainThread: ThreadHandle;
  readonly #machine: MachineState;
  readonly #process: Process;

  constructor(
    machine: MachineState,
    process: Process,
    mappings: ProcessMappings = new ProcessMappings(process.pid, machine.memory.pageSizeBytes),
  ) {
    this.#machine = machine;
    this.#process = process;
    this.mainThread = new ThreadHandle(machine, process.mainThread, mappings);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get backend(): Backend {
    return this.mainThread.backend;
  }

  get memory(): MemoryCalls {
    return this.mainThread.memory;
  }

  get areas(): AreaCalls {
    return this.mainThread.areas;
  }

  get objects(): ObjectCalls {
    return this.mainThread.objects;
  }

  get references(): ReferenceCalls {
    return this.mainThread.references;
  }

  get numa(): NumaCalls {
    return this.mainThread.numa;
  }

  get steps(): SteppedCalls {
    return this.mainThread.steps;
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  get name(): string {
    return this.#process.command;
  }

  set name(name: string) {
    if (typeof name !== 'string') throw invalidArgumentType('name', 'a string', name);
    this.#process.command = Buffer.from(name).subarray(0, NAME_BYTES_MAX).toString();
  }

  get allowsHugePages(): boolean {
    return !this.#process.mm.isWithoutHugePages;
  }

  set allowsHugePages(value: boolean) {
    const allows = checkFlag(value, 'allowsHugePages');
    this.mainThread.settle();
    this.#process.mm.isWithoutHugePages = !allows;
  }

  get isDumpable(): boolean {
    return this.#process.credentials.isDumpable;
  }

  set isDumpable(value: boolean) {
    const isDumpable = checkFlag(value, 'isDumpable');
    this.#process.credentials = { ...this.#process.credentials, isDumpable };
  }

  get balancingFaults(): number {
    return this.#process.mainThread.numa.totalFaults;
  }

  get mergedPages(): number {
    return mergedPageCount(this.#process.mm);
  }

  pageState(address: bigint): PageState {
    checkAddress(address, 'address');
    const { mm } = this.#process;
    return pageStateOf(mm, pageOf(address, mm.memory.pageSizeBytes));
  }

  thread(): SimulatedThread {
    return this.mainThread.thread();
  }

  fork(): SimulatedProcess {
    return this.mainThread.fork();
  }

  exit(): void {
    this.#machine.memory.inFlight.leaveAtomic();
    this.#machine.exit(this.#process);
  }

  setuid(uid: number): SyscallResult<undefined> {
    const changed = changeUser(this.#process.credentials, checkInteger(uid, 'uid', 0, UID_MAX));
    if ('errno' in changed) return failure('setuid', changed.errno);
    this.#process.credentials = changed;
    return DONE;
  }

  dropCapability(name: ProcessCapability): SyscallResult<undefined> {
    checkWord(name, 'name', CAPABILITY_NAMES);
    const process = this.#process;
    process.credentials = { ...process.credentials, [CAPABILITIES[name]]: false };
    return DONE;
  }

  unshareUser(): SyscallResult<undefined> {
    return unshareUser(this.#process.mainThread);
  }
}
