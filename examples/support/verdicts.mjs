// What the calls that move pages, and automatic balancing, do to a kind of memory, in words: for
// pinned-buffer.mjs and driver-memory.mjs. A kind has a name, and a function for each state that
// its memory may be in: it maps pages in a process, and returns where they are.

import { Machine, presets } from 'node-numa/simulator';
import { errnoName, MPOL, MPOL_MF, NodeMask, openSyscalls } from 'node-numa/syscalls';

/** Where the pages are, where they shall go, and a CPU there. */
const [near, far, cpuOfFar] = [1, 0, 0];
const balancingMs = 15_000;

/** An error by its name, or how much was counted as left behind. */
function told(result) {
  if (!result.ok) return errnoName(result.errno);
  return result.value === undefined ? 'no error' : `counts ${result.value}`;
}

function mbind(flags) {
  return ({ machine, process }, { address, pageCount }) => {
    const lengthBytes = pageCount * machine.pageSizeBytes;
    const request = { address, lengthBytes, mode: MPOL.BIND, nodemask: NodeMask.of(far), flags };
    return told(openSyscalls(process.backend).mbind(request));
  };
}

function movePages({ process }, { address, pageCount, isHuge }) {
  // By its first address a huge page moves as a whole.
  const pages = { address, pageCount: isHuge ? 1 : pageCount };
  const status = new Int32Array(pages.pageCount);
  const request = { pid: 0, pages, nodes: far, flags: MPOL_MF.MOVE, status };
  const answer = told(openSyscalls(process.backend).movePagesSync(request));
  return status[0] < 0 ? errnoName(-status[0]) : answer;
}

const calls = {
  'mbind MOVE': mbind(MPOL_MF.MOVE),
  'mbind MOVE|STRICT': mbind(MPOL_MF.MOVE | MPOL_MF.STRICT),
  'mbind MOVE_ALL|STRICT': mbind(MPOL_MF.MOVE_ALL | MPOL_MF.STRICT),
  move_pages: movePages,
  migrate_pages: async ({ process }) => {
    const request = { pid: 0, from: NodeMask.of(near), to: NodeMask.of(far) };
    return told(await openSyscalls(process.backend).migratePages(request));
  },
  balancing: ({ machine, process }, span) => {
    machine.settings.balancing = 'on';
    process.backend.schedSetaffinity([cpuOfFar]);
    process.memory.keepTouching(span, 'write', balancingMs);
  },
};

/** A process on a fresh machine, with such pages. */
export function begin(kernel, map) {
  const machine = new Machine(presets.fourNodes, { kernel });
  machine.hugePages = 'madvise';
  const process = machine.process();
  return { machine, process, span: map(process) };
}

/** What a process allocates meanwhile is on the near node. */
export function onNear(process, body) {
  const numa = openSyscalls(process.backend);
  numa.setMempolicy({ mode: MPOL.BIND, nodemask: NodeMask.of(near) });
  const value = body();
  numa.setMempolicy({ mode: MPOL.DEFAULT, nodemask: null });
  return value;
}

/** `moves`, or `stays` with what the call said of it. */
export async function verdict(scene, call = movePages) {
  const said = await call(scene, scene.span);
  const status = new Int32Array(1);
  const pages = { address: scene.span.address, pageCount: 1 };
  const query = { pid: 0, pages, nodes: null, flags: 0, status };
  openSyscalls(scene.process.backend).movePagesSync(query);
  if (status[0] === far) return 'moves';
  return said === undefined ? 'stays' : `stays, ${said}`;
}

/** A line for each call, a column for each state. */
export async function printVerdicts(kernel, { name, states }) {
  const printLine = (cells) => {
    const [first, ...others] = cells;
    console.log(`${first.padEnd(23)}${others.map((cell) => cell.padEnd(20)).join('')}`.trimEnd());
  };
  printLine([name, ...Object.keys(states)]);
  for (const [title, call] of Object.entries(calls)) {
    const cells = [];
    for (const map of Object.values(states)) cells.push(await verdict(begin(kernel, map), call));
    printLine([title, ...cells]);
  }
  console.log();
}

/** The steps of a move_pages() of the first page: the first try, and the end. */
export async function printSteps(kernel, map) {
  const scene = begin(kernel, map);
  const trace = scene.machine.traceMigrations();
  const fate = await verdict({ ...scene, span: { ...scene.span, pageCount: 1 } });
  trace.stop();
  const steps = trace.toString().split('\n');
  const firstEnd = trace.events.findIndex(({ step }) => step === 'free-target');
  if (firstEnd > 0) console.log([...steps.slice(0, firstEnd + 1), '', steps.at(-1)].join('\n'));
  const tries = trace.events.filter(({ step }) => step === 'back-out').length;
  console.log(`${trace.events.length} steps, backed out ${tries} times: it ${fate}`);
}
