/**
 * `node-numa run`: a launcher, which becomes the command.
 */

import { Option } from 'commander';
import type { PolicyFlag } from '../../core/memory-policy.ts';
import { POLICY_MODE_NAMES, type PolicyMode } from '../../core/policy-modes.ts';
import { UNKNOWN } from '../../core/unit-text.ts';
import type { Numa } from '../../facade/numa.ts';
import { applyPlacement } from '../../facade/placement/apply-placement.ts';
import {
  type PlacementNames,
  type PlacementRequest,
  planPlacement,
} from '../../facade/placement/plan-placement.ts';
import { type CommandSpec, defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { backendLine } from '../render/backend-line.ts';
import { become, resolveCommand } from '../run/become.ts';
import { readSetting } from '../run/setting.ts';
import { UsageError } from '../usage-error.ts';

interface RunOptions {
  readonly cpus?: string;
  readonly cpuNodes?: string;
  readonly memoryNodes?: string;
  readonly policy?: PolicyMode;
  readonly balancing?: boolean;
  readonly static?: boolean;
  readonly relative?: boolean;
  readonly all?: boolean;
  readonly show?: boolean;
}

const NAMES: PlacementNames = {
  cpus: '--cpus',
  cpuNodes: '--cpu-nodes',
  memoryNodes: '--memory-nodes',
  policy: '--policy',
  anyCpu: '--all',
};

const policyOption = new Option(
  '-p, --policy <mode>',
  'how memory is taken from the memory nodes; bind unless told',
).choices(POLICY_MODE_NAMES);

export const runCommand: CommandSpec = defineCommand<RunOptions>({
  name: 'run',
  summary: 'run a command on chosen CPUs, with memory of chosen nodes',
  description: [
    'Everything is checked first; then this process becomes the command, whose signals and exit ' +
      'status are its own. Nothing is printed.',
    'LIST is 0-2,5; all; !0 (all but these); +0-1 (places within those that there are); same ' +
      '(nodes: those of the other option).',
  ],
  args: [
    { flags: '[command]', description: 'the program' },
    { flags: '[args...]', description: 'its own words, as they are' },
  ],
  options: [
    new Option('-C, --cpus <list>', 'run on these CPUs'),
    new Option('-N, --cpu-nodes <list>', 'run on the CPUs of these nodes'),
    new Option('-m, --memory-nodes <list>', 'take memory from these nodes'),
    policyOption,
    new Option('-b, --balancing', 'let automatic balancing move the pages (bind, preferred-many)'),
    new Option('--static', 'the nodes mean these very nodes, whatever the cpuset becomes'),
    new Option('--relative', 'the nodes are places within the cpuset').conflicts('static'),
    new Option('-a, --all', 'take any CPU that is online, not only those of this process'),
    new Option('-s, --show', 'print what a command would run with, and run none'),
  ],
  examples: [
    {
      line: 'node-numa run --cpu-nodes 0 --memory-nodes same -- node --version',
      says: 'CPUs and memory of node 0 only',
    },
    {
      line: 'node-numa run --policy interleave --memory-nodes all ls -l',
      says: 'memory of all nodes in turn',
    },
    { line: 'node-numa run --policy local --show --json', says: 'what it would run with' },
  ],
  madeOf: { cpus: '--cpus', nodes: '--memory-nodes', policy: '--policy' },
  takesMachine: false,
  takesJson: true,
  passesThrough: true,
  async run({ options, args, output, open }) {
    const [command, rest] = args as [string | undefined, string[]];
    checkWords(options, command);
    const numa = open();
    const plan = planPlacement(numa, requestOf(options));
    if (command === undefined) {
      applyPlacement(numa.thread, plan, NAMES.cpus);
      printSetting(numa, output, options.json === true);
      return EXIT.DONE;
    }
    const resolved = resolveCommand([command, ...rest]);
    applyPlacement(numa.thread, plan, NAMES.cpus);
    return become(resolved);
  },
});

function checkWords({ show, json }: RunOptions & { json?: boolean }, command?: string): void {
  if (json && !show) throw new UsageError('--json goes with --show: a command prints its own');
  if (show && command !== undefined) throw new UsageError('--show goes without a command');
  if (!show && command === undefined) throw new UsageError('a command is missing: -- COMMAND');
}

function requestOf(options: RunOptions): PlacementRequest {
  const { cpus, cpuNodes, memoryNodes, policy, all } = options;
  const flags: readonly [boolean | undefined, PolicyFlag][] = [
    [options.static, 'static-nodes'],
    [options.relative, 'relative-nodes'],
    [options.balancing, 'numa-balancing'],
  ];
  const given = flags.flatMap(([isGiven, flag]) => (isGiven ? [flag] : []));
  const nodes = { cpuNodes, memoryNodes };
  return { cpus, ...nodes, policy, flags: given, anyCpu: all === true, names: NAMES };
}

function printSetting(numa: Numa, output: Output, isJson: boolean): void {
  const { backend } = numa;
  const { policy, cpus, cpuNodes, allowedNodes } = readSetting(numa);
  if (isJson) {
    const { mode, nodes, flags } = policy;
    output.json({ backend, policy: { mode, nodes, flags }, cpus, cpuNodes, allowedNodes });
    return;
  }
  output.lines([
    backendLine(backend, output.colours),
    `policy         ${policy}`,
    `cpus           ${cpus}`,
    `cpu nodes      ${cpuNodes ?? UNKNOWN}`,
    `allowed nodes  ${allowedNodes}`,
  ]);
}
