// @ts-check
// A scene from its first step to its last, with a picture of the page behind each: going back is
// looking at an earlier one.

import { Machine, presets } from 'node-numa/simulator';

/** @typedef {import('./scenes.mjs').Scene} Scene */
/** @typedef {import('./scenes.mjs').Stage} Stage */
/** @typedef {import('node-numa/simulator').MigrationEvent} MigrationEvent */
/** @typedef {import('node-numa/simulator').PageState} PageState */

/**
 * @typedef {object} Frame
 * @property {MigrationEvent | null} event null: before the first step
 * @property {readonly { pid: number, state: PageState }[]} pages the watched page in each process
 * @property {readonly { node: number, freePages: number }[]} nodes
 */

/**
 * @typedef {object} Play
 * @property {readonly string[]} title
 * @property {readonly Frame[]} frames
 * @property {string} verdict what the call answered
 * @property {import('node-numa/simulator').MigrationTraceJson} trace
 */

/**
 * @param {Scene} scene
 * @param {import('node-numa/simulator').KernelLine} kernel
 * @returns {Play}
 */
export function playScene(scene, kernel) {
  const machine = new Machine(presets.fourNodes, { kernel });
  const stage = scene.set(machine);
  const trace = machine.traceMigrations();
  const frames = [frameOf(stage, null)];
  // What is seen behind a step is what others would see there.
  const end = machine.faults.atEachStep((event) => void frames.push(frameOf(stage, event)));
  runAll(stage);
  end();
  trace.stop();
  const { result } = stage.call;
  const answer = result?.ok ? `returned ${result.value}` : `failed with errno ${result?.errno}`;
  const where = stage.processes.map((process) => {
    return `process ${process.pid}: ${describe(process.pageState(stage.address))}`;
  });
  return {
    title: [`${scene.summary}`, `Linux ${machine.kernel} on the simulator; move_pages to node 1`],
    frames,
    verdict: `move_pages ${answer}; ${where.join('; ')}`,
    trace: trace.toJSON(),
  };
}

/** @param {Stage} stage */
function runAll({ call, others = [] }) {
  while (!call.isEnded) {
    call.step();
    for (const other of others) other.step();
  }
  for (const other of others) other.run();
}

/**
 * @param {Stage} stage
 * @param {MigrationEvent | null} event
 * @returns {Frame}
 */
function frameOf({ machine, address, processes }, event) {
  const { nodes } = machine.topology();
  return {
    event,
    pages: processes.map((process) => ({ pid: process.pid, state: process.pageState(address) })),
    nodes: nodes.map(({ id, freeBytes }) => ({
      node: id,
      freePages: freeBytes / machine.pageSizeBytes,
    })),
  };
}

/**
 * A page in a few words.
 * @param {PageState} state
 */
export function describe({ entry, folio }) {
  if (folio === null) return entry;
  const number = folio.folio < 0 ? '' : ` #${folio.folio}`;
  return `${entry}${number} on node ${folio.node}`;
}
