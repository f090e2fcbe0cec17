/** Processes and threads of a simulated machine, behind the interfaces that users have. */

import type { Backend, PageSpan } from '../backend/backend.ts';
import { invalidArgumentType } from '../core/argument-errors.ts';
import { checkInteger, checkOptions, checkWord } from '../core/check-arguments.ts';
import { ERRNO } from '../core/errno.ts';
import { NumaError, systemError } from '../core/errors.ts';
import { settleWrites } from './live-bytes.ts';
import type { Machine } from './machine.ts';
import { ProcessMappings } from './process-mappings.ts';
import type {
  ProcessOptions,
  SimulatedCapability,
  SimulatedProcess,
  SimulatedThread,
} from './simulated-process.ts';
import { SimulatorBackend } from './simulator-backend.ts';
import { pinPages, unpinPages } from './syscalls/pin-pages.ts';
import { type Credentials, ROOT_CREDENTIALS, userCredentials } from './tasks/credentials.ts';
import type { Process } from './tasks/process.ts';
import type { Thread } from './tasks/thread.ts';

const KIND = 'simulator';
const UID_MAX = 2 ** 32 - 2;
const CAPABILITIES: readonly SimulatedCapability[] = ['CAP_SYS_NICE', 'CAP_SYS_PTRACE'];

/** Checked options as the simulator keeps them. @throws TypeError, RangeError */
export function credentialsOf(options: ProcessOptions | undefined): Credentials {
  const { uid = 0, capabilities } = checkOptions(options, 'options', ['uid', 'capabilities']);
  checkInteger(uid, 'options.uid', 0, UID_MAX);
  const base = uid === 0 ? ROOT_CREDENTIALS : userCredentials(uid);
  if (capabilities === undefined) return base;
  if (!Array.isArray(capabilities)) {
    throw invalidArgumentType('options.capabilities', 'an array', capabilities);
  }
  for (const name of capabilities) checkWord(name, 'options.capabilities', CAPABILITIES);
  const canSetNice = capabilities.includes('CAP_SYS_NICE');
  return { ...base, canSetNice, canTrace: capabilities.includes('CAP_SYS_PTRACE') };
}

export class ThreadHandle implements SimulatedThread {
  readonly backend: Backend;
  readonly #thread: Thread;
  readonly #mappings: ProcessMappings;

  constructor(machine: Machine, thread: Thread, mappings: ProcessMappings) {
    this.#thread = thread;
    this.#mappings = mappings;
    this.backend = new SimulatorBackend(machine, thread, mappings);
  }

  get tid(): number {
    return this.#thread.tid;
  }

  get cpu(): number {
    return this.#thread.cpu;
  }

  pin({ address, pageCount }: PageSpan): () => void {
    checkInteger(pageCount, 'pageCount', 1);
    if (typeof address !== 'bigint') throw invalidArgumentType('address', 'a bigint', address);
    this.settle();
    if (!this.#thread.process.isRunning) throw ended();
    const pinned = pinPages(this.#thread, { address, pageCount, kind: 'pin' });
    if (pinned.ok) return () => void unpinPages(this.#thread, pinned.value);
    const { syscall, errno } = pinned;
    const asked = `pinning ${pageCount} pages`;
    throw systemError({ syscall, errno, asked, args: { address, pageCount }, backend: KIND });
  }

  /** Sees what was written through JavaScript, as every call does before it begins. */
  settle(): void {
    if (this.#thread.process.isRunning) settleWrites(this.#thread, this.#mappings);
  }
}

function ended(): NumaError {
  return new NumaError('this process has ended', {
    code: 'NUMA_NO_SUCH_PROCESS',
    backend: KIND,
    hint: 'make another with machine.process()',
  });
}

export class ProcessHandle implements SimulatedProcess {
  readonly mainThread: ThreadHandle;
  readonly #machine: Machine;
  readonly #process: Process;
  readonly #mappings: ProcessMappings;

  constructor(
    machine: Machine,
    process: Process,
    mappings: ProcessMappings = new ProcessMappings(process.pid),
  ) {
    this.#machine = machine;
    this.#process = process;
    this.#mappings = mappings;
    this.mainThread = new ThreadHandle(machine, process.mainThread, mappings);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get backend(): Backend {
    return this.mainThread.backend;
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  thread(): SimulatedThread {
    this.#checkRunning();
    const { threads, mainThread, pid } = this.#process;
    const thread = this.#process.startThread(pid + threads.length, mainThread);
    return new ThreadHandle(this.#machine, thread, this.#mappings);
  }

  fork(): SimulatedProcess {
    this.mainThread.settle();
    this.#checkRunning();
    const child = this.#machine.fork(this.#process.mainThread);
    if (child === undefined) {
      const failed = { syscall: 'fork', errno: ERRNO.ENOMEM, asked: 'a child process' };
      throw systemError({ ...failed, args: {}, backend: KIND });
    }
    const mappings = new ProcessMappings(child.pid);
    this.#mappings.copyInto(mappings);
    return new ProcessHandle(this.#machine, child, mappings);
  }

  exit(): void {
    this.#machine.exit(this.#process);
  }

  #checkRunning(): void {
    if (!this.isRunning) throw ended();
  }
}
