/** What the administrator of a simulated machine sets. */

import type { SyscallResult } from '../../backend/syscall-result.ts';
import { invalidArgumentValue } from '../../core/argument-errors.ts';
import { checkFlag, checkInteger, checkOptions, checkWord } from '../../core/check-arguments.ts';
import { ERRNO } from '../../core/errno.ts';
import type { BalancingWord, CpusetOptions, WeightFiles } from '../../machine/settings.ts';
import { setBalancing } from '../balancing/promotion.ts';
import type { MachineSettings, SimulatedCpuset } from '../interface/machine-settings.ts';
import type { SteppedCpuset } from '../interface/simulated-process.ts';
import type { MachineState } from '../machine.ts';
import { mergeEqualPages } from '../memory/ksm.ts';
import { checkNodeIn, NO_NODES } from '../nodes/nodemask.ts';
import { failure, success } from '../syscalls/answer.ts';
import {
  attachToCpuset,
  stepsOfAttach,
  stepsOfCpusetMems,
  writeCpusetMems,
} from '../syscalls/cpuset-files.ts';
import { readWeightFile, weightFileNames, writeWeightFile } from '../syscalls/weight-files.ts';
import { Cpuset } from '../tasks/cpuset.ts';
import { ROOT_CREDENTIALS } from '../tasks/credentials.ts';
import { CPUSET_CHECKS, CPUSET_STEP_CHECKS, checked, WEIGHT_CHECKS } from './call-checks.ts';
import { beginSteps } from './stepped-handle.ts';

const SYSCTL_INT_MAX = 2 ** 31 - 1;
const BALANCING_WORDS: readonly BalancingWord[] = ['off', 'on', 'tiering'];

export class SettingsHandle implements MachineSettings {
  readonly weights: WeightFiles;
  readonly #machine: MachineState;
  /** Sees what was written until now, under the settings before. */
  readonly #settle: () => void;

  constructor(machine: MachineState, settle: () => void) {
    this.#machine = machine;
    this.#settle = settle;
    this.weights = checked(weightFiles(machine), WEIGHT_CHECKS);
  }

  get balancing(): BalancingWord {
    return this.#machine.memory.balancing;
  }

  set balancing(word: BalancingWord) {
    setBalancing(this.#machine.memory, checkWord(word, 'balancing', BALANCING_WORDS));
  }

  get promoteRateLimitMBps(): number {
    return this.#machine.memory.physical.promotions.rateLimitMBps;
  }

  set promoteRateLimitMBps(limit: number) {
    checkInteger(limit, 'promoteRateLimitMBps', 0, SYSCTL_INT_MAX);
    this.#machine.memory.physical.promotions.rateLimitMBps = limit;
  }

  get hotThresholdMs(): number {
    return this.#machine.memory.physical.promotions.hotThresholdMs;
  }

  set hotThresholdMs(milliseconds: number) {
    checkInteger(milliseconds, 'hotThresholdMs', 0, SYSCTL_INT_MAX);
    this.#machine.memory.physical.promotions.hotThresholdMs = milliseconds;
  }

  hugePoolPages(node: number): number {
    return this.#machine.memory.pool.size(this.#memoryNode(node));
  }

  setHugePoolPages(node: number, pageCount: number): void {
    checkInteger(pageCount, 'pageCount', 0);
    this.#settle();
    this.#machine.memory.pool.resize(this.#memoryNode(node), pageCount);
  }

  mergeEqualPages(): void {
    this.#settle();
    mergeEqualPages(this.#machine.memory);
  }

  cpuset(options?: CpusetOptions): SyscallResult<SimulatedCpuset> {
    const known = ['version', 'migrates'] as const;
    const { version = 2, migrates = version === 2 } = checkOptions(options, 'options', known);
    checkVersion(version);
    checkFlag(migrates, 'options.migrates');
    if (version === 1 && !this.#machine.facts.hasOldCpusets) {
      return failure('mount', ERRNO.EINVAL);
    }
    return success(cpusetHandle(this.#machine, { version, migrates }));
  }

  #memoryNode(node: number): number {
    return checkNodeIn(
      this.#machine.memory.physical.memoryNodes,
      node,
      'must be a node with memory',
    );
  }
}

function weightFiles(machine: MachineState): WeightFiles {
  return {
    firmwareBandwidths: machine.weights.bandwidths,
    names: () => weightFileNames(machine),
    read: (name) => {
      const text = weightFileNames(machine).includes(name)
        ? readWeightFile(machine, name)
        : undefined;
      return text === undefined ? failure('open', ERRNO.ENOENT) : success(text);
    },
    write: (name, text, pid) => {
      const process = pid === undefined ? undefined : machine.findProcess(pid);
      if (pid !== undefined && process === undefined) return failure('open', ERRNO.ESRCH);
      return writeWeightFile(machine, process?.credentials ?? ROOT_CREDENTIALS, name, text);
    },
  };
}

function cpusetHandle(machine: MachineState, options: Required<CpusetOptions>): SimulatedCpuset {
  const group = new Cpuset(machine.rootCpuset, NO_NODES, options);
  const leave = (pid: number): SyscallResult<undefined> =>
    attachToCpuset(machine, machine.rootCpuset, pid);
  const steps: SteppedCpuset = {
    setMems: (nodes) => beginSteps(machine, stepsOfCpusetMems(machine, group, nodes)),
    attach: (pid) => beginSteps(machine, stepsOfAttach(machine, group, pid)),
  };
  const calls: SimulatedCpuset = {
    setMems: (nodes) => writeCpusetMems(machine, group, nodes),
    attach: (pid) => attachToCpuset(machine, group, pid),
    leave,
    steps: checked(steps, CPUSET_STEP_CHECKS),
    empty: () => {
      for (const { pid } of [...group.processes]) leave(pid);
    },
  };
  return checked(calls, CPUSET_CHECKS);
}

function checkVersion(version: unknown): void {
  if (version === 1 || version === 2) return;
  throw invalidArgumentValue('options.version', 'must be 1 or 2', version);
}
