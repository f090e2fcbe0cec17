// @ts-check
// A machine description in QEMU's words: sockets, memory nodes, distances, and the ports.
//
// Linux numbers nodes in the order in which the firmware's table first names them, CPUs before
// memory. So a node without CPUs gets a socket that is never plugged in, where its number demands.

import { totalmem } from 'node:os';
import { hasPerformance, MachineError, memoryOf } from './machine.mjs';
import { performanceArguments } from './qemu-performance.mjs';

/** File descriptors of the QEMU process that carry the guest's serial ports, in port order. */
export const serialDescriptors = Object.freeze({ console: 3, records: 4, stdout: 5, stderr: 6 });
/** The one that carries a command's talk with this host where the kernel has virtio: a serial port
 *  takes each byte by itself. */
export const virtioDescriptor = 7;

// The upper ports of a PC share the lower ones' interrupts; streams deserve their own.
const serialInterrupts = [4, 3, 10, 11];
const gapDistance = 20;
const qemuNodeIdMax = 127;
// An emulated interrupt for a group of CPUs stops at the first empty socket: CPUs behind it hang
// (seen on 6.1). A kernel that counts more than eight possible CPUs addresses each on its own.
const socketsMinGapped = 9;

/**
 * @typedef {'kvm' | 'tcg' | 'icount'} Accelerator
 */

/**
 * @param {object} boot
 * @param {import('./machine.mjs').Machine} boot.machine
 * @param {Accelerator} boot.accelerator
 * @param {string} boot.kernelImage
 * @param {string} boot.initrd
 * @param {number} boot.guestSeconds after which the guest ends itself; 0 means never
 * @returns {string[]}
 */
export function qemuArguments({ machine, accelerator, kernelImage, initrd, guestSeconds }) {
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-machine', `q35,usb=off,vmport=off${hasPerformance(machine.nodes) ? ',hmat=on' : ''}`],
    ...processorArguments(accelerator),
    ...machineArguments(machine, accelerator === 'kvm' ? 'host' : 'max'),
    ...serialArguments(),
    ...(accelerator === 'icount' ? [] : virtioArguments()),
    ...['-kernel', kernelImage, '-initrd', initrd],
    ...['-append', kernelCommandLine(accelerator, guestSeconds)],
  ];
}

/** @param {Accelerator} accelerator */
function processorArguments(accelerator) {
  if (accelerator === 'kvm') return ['-accel', 'kvm', '-cpu', 'host'];
  // Emulated byte-wise string instructions are slow out of proportion, and guests with more than
  // one CPU die of the emulated cmpxchg16b now and then.
  const cpu = ['-cpu', 'max,-cx16,-erms,-fsrm'];
  if (accelerator === 'tcg') return ['-accel', 'tcg,thread=multi', ...cpu];
  return ['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off', ...cpu];
}

/**
 * @param {Accelerator} accelerator
 * @param {number} guestSeconds
 */
function kernelCommandLine(accelerator, guestSeconds) {
  const words = [
    ...['console=ttyS0', '8250.nr_uarts=4', 'loglevel=5'],
    // No record can be written after an oops that only ended one process: make it a panic.
    ...['panic=-1', 'oops=panic'],
    // Placement must repeat from run to run.
    ...['nokaslr', 'numa_balancing=disable', 'transparent_hugepage=never', 'initramfs_async=0'],
    ...['mitigations=off', 'cryptomgr.notests', 'no_timer_check', 'random.trust_cpu=on'],
    // Words that the kernel does not know become environment variables of the first process.
    ...[`guest_accelerator=${accelerator}`, `guest_seconds=${guestSeconds}`],
  ];
  // rep_good: without it the kernel copies with plain moves, which are emulated at a fair price.
  if (accelerator !== 'kvm') words.push('clearcpuid=112');
  return words.join(' ');
}

/**
 * @param {import('./machine.mjs').Machine} machine
 * @param {'host' | 'max'} cpuModel of CPUs that are plugged in one by one
 * @returns {string[]}
 */
export function machineArguments(machine, cpuModel = 'max') {
  const { nodes, distances } = machine;
  checkForQemu(nodes);
  const sockets = socketsOf(nodes);
  const all = sockets.length;
  const words = ['-m', `${memoryOf(nodes)}M`, ...cpuArguments(sockets, cpuModel)];
  const highest = nodes.at(-1)?.id ?? 0;
  for (let id = 0; id <= highest; id++) {
    const node = nodes.find((entry) => entry.id === id);
    const parts = ['node', `nodeid=${id}`];
    if (node && node.memoryMiB > 0) {
      words.push('-object', `memory-backend-ram,id=memory${id},size=${node.memoryMiB}M`);
      parts.push(`memdev=memory${id}`);
    }
    if (node?.initiator !== undefined) parts.push(`initiator=${node.initiator}`);
    words.push('-numa', parts.join(','));
  }
  for (let socket = 0; socket < all; socket++) {
    words.push('-numa', `cpu,node-id=${sockets[socket]?.id},socket-id=${socket}`);
  }
  for (let from = 0; from <= highest; from++) {
    for (let to = 0; to <= highest; to++) {
      const row = nodes.findIndex((node) => node.id === from);
      const column = nodes.findIndex((node) => node.id === to);
      const distance = distances[row]?.[column] ?? (from === to ? 10 : gapDistance);
      words.push('-numa', `dist,src=${from},dst=${to},val=${distance}`);
    }
  }
  return [...words, ...performanceArguments(machine)];
}

/**
 * What the simulator takes and no emulated PC can be.
 * @param {readonly import('./machine.mjs').MachineNode[]} nodes
 */
function checkForQemu(nodes) {
  nodes.forEach(({ id }, index) => {
    const rule = `must be at most ${qemuNodeIdMax} in a guest: QEMU has no node above it`;
    if (id > qemuNodeIdMax) throw new MachineError(`nodes[${index}].id`, rule, id);
  });
  const cpus = nodes.flatMap((node) => node.cpus).sort((a, b) => a - b);
  const gap = cpus.findIndex((cpu, index) => cpu !== index);
  if (gap >= 0) {
    const rule = `must together be 0 to ${cpus.length - 1} in a guest: its kernel leaves out none`;
    throw new MachineError('nodes[].cpus', rule, cpus[gap]);
  }
  const hostMiB = Math.floor(totalmem() / 2 ** 20);
  const total = memoryOf(nodes);
  if (total < hostMiB) return;
  const rule = `must together be less than this host's ${hostMiB} in a guest`;
  throw new MachineError('nodes[].memoryMiB', rule, total);
}

/**
 * @typedef {{ id: number, isPresent: boolean }} Socket its node, and whether it holds a CPU
 */

/**
 * QEMU fills the first sockets by itself; CPUs behind an empty socket are plugged in one by one.
 * @param {Socket[]} sockets
 * @param {'host' | 'max'} cpuModel
 * @returns {string[]}
 */
function cpuArguments(sockets, cpuModel) {
  const all = sockets.length;
  const firstEmpty = sockets.findIndex(({ isPresent }) => !isPresent);
  const filled = firstEmpty < 0 ? all : firstEmpty;
  const words = ['-smp', `${filled},maxcpus=${all},sockets=${all},cores=1`];
  for (let socket = filled; socket < all; socket++) {
    if (!sockets[socket]?.isPresent) continue;
    const place = `socket-id=${socket},core-id=0,thread-id=0`;
    words.push('-device', `${cpuModel}-x86_64-cpu,${place}`);
  }
  return words;
}

/**
 * One socket for each CPU in their order, one that stays empty for each node without CPUs. Memory
 * with an initiator elsewhere gets none: QEMU takes a node with a socket for its own initiator.
 * @param {readonly import('./machine.mjs').MachineNode[]} nodes
 * @returns {Socket[]}
 */
function socketsOf(nodes) {
  const highest = nodes.at(-1)?.id ?? 0;
  const cpuNodes = nodes.flatMap((node) => node.cpus.map((cpu) => ({ cpu, id: node.id })));
  const withCpus = new Set(cpuNodes.map(({ id }) => id));
  /** @type {Socket[]} */
  const sockets = [];
  let next = 0;
  const skipTo = (/** @type {number} */ limit) => {
    for (; next < limit && !withCpus.has(next); next++) {
      const isElsewhere = nodes.some(({ id, initiator }) => id === next && initiator !== undefined);
      if (!isElsewhere) sockets.push({ id: next, isPresent: false });
    }
  };
  for (const { id } of cpuNodes.sort((a, b) => a.cpu - b.cpu)) {
    skipTo(id);
    sockets.push({ id, isPresent: true });
    if (id === next) next++;
  }
  const isGapped = sockets.some(({ isPresent }) => !isPresent);
  skipTo(highest + 1);
  while (isGapped && sockets.length < socketsMinGapped) sockets.push({ id: 0, isPresent: false });
  checkNumbering(nodes, sockets);
  return sockets;
}

/**
 * @param {readonly import('./machine.mjs').MachineNode[]} nodes
 * @param {Socket[]} sockets
 */
function checkNumbering(nodes, sockets) {
  const rule = 'must hold CPU 0 on node 0: a PC starts with its first socket';
  if (!sockets[0]?.isPresent) throw new MachineError('nodes[].cpus', rule);
  const met = new Set([...sockets, ...nodes].map(({ id }) => id));
  if ([...met].every((id, index) => id === index)) return;
  const order = 'must name nodes in ascending order, CPU by CPU';
  const last = 'memory with an initiator elsewhere after them';
  throw new MachineError('nodes[].cpus', `${order}, ${last}: a booting kernel numbers them so`);
}

function virtioArguments() {
  return [
    ...['-chardev', `socket,id=virtio,fd=${virtioDescriptor}`],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=virtio,nr=1'],
  ];
}

function serialArguments() {
  return Object.entries(serialDescriptors).flatMap(([name, descriptor], port) => [
    ...['-chardev', `socket,id=${name},fd=${descriptor}`],
    ...['-device', `isa-serial,chardev=${name},index=${port},irq=${serialInterrupts[port]}`],
  ]);
}
