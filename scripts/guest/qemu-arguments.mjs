// @ts-check
// A machine description in QEMU's words: sockets, memory nodes, distances, and the serial ports.
//
// Linux numbers nodes in the order in which the firmware's table first names them, CPUs before
// memory. So each node without CPUs gets a socket that is never plugged in, after the present ones.

import { MachineError } from './machine.mjs';

/** File descriptors of the QEMU process that carry the guest's serial ports, in port order. */
export const serialDescriptors = Object.freeze({ console: 3, records: 4, stdout: 5, stderr: 6 });

// The upper ports of a PC share the lower ones' interrupts; streams deserve their own.
const serialInterrupts = [4, 3, 10, 11];
const gapDistance = 20;

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
    ...['-machine', 'q35,usb=off,vmport=off'],
    ...processorArguments(accelerator),
    ...machineArguments(machine),
    ...serialArguments(),
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
 * @returns {string[]}
 */
export function machineArguments({ nodes, distances }) {
  const sockets = socketsOf(nodes);
  const present = nodes.reduce((count, node) => count + node.cpus.length, 0);
  const all = sockets.length;
  const total = nodes.reduce((sum, node) => sum + node.memoryMiB, 0);
  const words = ['-m', `${total}M`, '-smp', `${present},maxcpus=${all},sockets=${all},cores=1`];
  const highest = nodes.at(-1)?.id ?? 0;
  for (let id = 0; id <= highest; id++) {
    const memory = nodes.find((node) => node.id === id)?.memoryMiB ?? 0;
    const name = `memory${id}`;
    if (memory > 0) words.push('-object', `memory-backend-ram,id=${name},size=${memory}M`);
    words.push('-numa', memory > 0 ? `node,nodeid=${id},memdev=${name}` : `node,nodeid=${id}`);
  }
  sockets.forEach((id, socket) => {
    words.push('-numa', `cpu,node-id=${id},socket-id=${socket}`);
  });
  for (let from = 0; from <= highest; from++) {
    for (let to = 0; to <= highest; to++) {
      const row = nodes.findIndex((node) => node.id === from);
      const column = nodes.findIndex((node) => node.id === to);
      const distance = distances[row]?.[column] ?? (from === to ? 10 : gapDistance);
      words.push('-numa', `dist,src=${from},dst=${to},val=${distance}`);
    }
  }
  return words;
}

/**
 * @param {import('./machine.mjs').MachineNode[]} nodes
 * @returns {number[]} the node of each socket; the present CPUs come first, in their order
 */
function socketsOf(nodes) {
  const cpuNodes = nodes.flatMap((node) => node.cpus.map((cpu) => ({ cpu, id: node.id })));
  const sockets = cpuNodes.sort((a, b) => a.cpu - b.cpu).map(({ id }) => id);
  const highest = nodes.at(-1)?.id ?? 0;
  for (let id = 0; id <= highest; id++) {
    if (!sockets.includes(id)) sockets.push(id);
  }
  const firstSeen = [...new Set(sockets)];
  if (firstSeen.some((id, index) => id !== index)) {
    const rule = 'must name nodes in ascending order, CPU by CPU, nodes without CPUs last: ';
    const why = 'a booting kernel would number them otherwise';
    throw new MachineError('nodes[].cpus', `${rule}${why}`);
  }
  return sockets;
}

function serialArguments() {
  return Object.entries(serialDescriptors).flatMap(([name, descriptor], port) => [
    ...['-chardev', `socket,id=${name},fd=${descriptor}`],
    ...['-device', `isa-serial,chardev=${name},index=${port},irq=${serialInterrupts[port]}`],
  ]);
}
