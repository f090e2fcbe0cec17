/** A process of the contract, played by a puppet: its calls are lines, and its answers replies. */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { ProcessCapability } from '../../lib/machine/process.ts';
import type { WorldProcess } from '../contract/world.ts';
import type { Line, Reply } from './channel.ts';
import { listOf } from './line-text.ts';
import { command, nothing, number } from './puppet-call.ts';
import { fileCalls, machineFiles, writeFile } from './puppet-files.ts';
import { areaCalls, memoryCalls, objectCalls, referenceCalls } from './puppet-memory.ts';
import { numaCalls } from './puppet-numa.ts';

/** Source: include/uapi/linux/capability.h. */
const CAPABILITIES: Readonly<Record<ProcessCapability, number>> = {
  CAP_SETUID: 7,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_NICE: 23,
};

type Done = Promise<SyscallResult<undefined>>;

export class PuppetProcess implements WorldProcess {
  readonly pid: number;
  readonly memory: WorldProcess['memory'];
  readonly areas: WorldProcess['areas'];
  readonly objects: WorldProcess['objects'];
  readonly references: WorldProcess['references'];
  readonly numa: WorldProcess['numa'];
  readonly files: WorldProcess['files'];
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
    const send = (line: string): Promise<Reply> => this.#send(line);
    const files = machineFiles((line) => channel.send(line));
    this.memory = memoryCalls(send, pageSizeBytes);
    this.areas = areaCalls(send, files, pid, pageSizeBytes);
    this.objects = objectCalls(send, pageSizeBytes);
    this.references = referenceCalls(send, pageSizeBytes);
    this.numa = numaCalls(send);
    this.files = fileCalls(send, pid);
  }

  get killedBy(): number | null {
    return this.#killedBy;
  }

  async fork(): Promise<WorldProcess> {
    const { errno, values } = await this.#send('fork');
    if (errno !== 0) throw new Error(`fork failed: errno ${errno}`);
    const [id, pid] = values;
    return this.#other(`child ${id}`, Number(pid));
  }

  async thread(): Promise<WorldProcess> {
    const { errno, values } = await this.#send('thread');
    if (errno !== 0) throw new Error(`no thread: errno ${errno}`);
    return this.#other(`on_thread ${values[0]}`, this.pid);
  }

  forkEnded(): Promise<SyscallResult<number>> {
    return this.#call('ended_child', '', number);
  }

  exec(): Done {
    return this.#call('exec', '', nothing);
  }

  async exit(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    await this.#send('exit');
  }

  setuid(uid: number): Done {
    return this.#call('setuid', String(uid), nothing);
  }

  dropCapability(name: ProcessCapability): Done {
    return this.#call('drop_capability', String(CAPABILITIES[name]), nothing);
  }

  unshareUser(): Done {
    return this.#call('unshare_user', '', nothing);
  }

  setDumpable(): Done {
    return this.#call('set_dumpable', '', nothing);
  }

  allowHugePages(): Done {
    return this.#call('allow_huge_pages', '', nothing);
  }

  runOnCpu(cpu: number, tid = 0): Done {
    return this.#call('sched_setaffinity', `${cpu} ${tid}`, nothing);
  }

  affinity(): Promise<SyscallResult<number[]>> {
    return this.#call('affinity', '', ([cpus]) => listOf(cpus).map(Number));
  }

  shatter({ address, pageCount }: Parameters<WorldProcess['shatter']>[0]): Done {
    return this.#call('shatter', `${address} ${pageCount}`, nothing);
  }

  /** Not part of a world: its settings write files through it. */
  writeFile(path: string, text: string): Done {
    return writeFile((line) => this.#send(line), path, text);
  }

  #other(step: string, pid: number): PuppetProcess {
    const prefix = `${this.#prefix}${step} `;
    return new PuppetProcess(this.#channel, prefix, pid, this.#pageSizeBytes);
  }

  #call<T>(
    name: string,
    rest: string,
    read: (values: readonly string[]) => T,
  ): Promise<SyscallResult<T>> {
    return command((line) => this.#send(line), name, rest, read);
  }

  async #send(line: string): Promise<Reply> {
    const reply = await this.#channel.send(`${this.#prefix}${line}`);
    if (reply.errno !== 0 && reply.values[0] === 'killed') this.#killedBy = Number(reply.values[1]);
    return reply;
  }
}
