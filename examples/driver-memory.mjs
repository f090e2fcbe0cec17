// Memory of a driver: its own pages, which it has put into a program's memory with
// vm_insert_page(), so that the mapping is VM_MIXEDMAP. A ring of packets is such memory. Who can
// move it, with a reference or a pin on top, or without?
// On the simulator, as any of its kernels: node examples/driver-memory.mjs [6.1|6.12|6.18|7.2]
// docs/pinned-memory.md has the command that does the same to a real ring.

import { kernelLines } from 'node-numa/simulator';
import { onNear, printSteps, printVerdicts } from './support/verdicts.mjs';

const [kernel = kernelLines.at(-1)] = process.argv.slice(2);

function driverPages(program) {
  const ring = { blockPages: 4, blockCount: 1 };
  const { value: address } = onNear(program, () => program.references.packetRing(ring));
  return { address, pageCount: 4 };
}

function referenced(program) {
  const span = driverPages(program);
  program.references.splice(span);
  return span;
}

function noMoreReferenced(program) {
  const span = driverPages(program);
  program.references.close(program.references.splice(span).value);
  return span;
}

function pinned(program) {
  const span = driverPages(program);
  program.references.registerPackets(span);
  return span;
}

console.log(`Simulated, as Linux ${kernel}\n`);
await printVerdicts(kernel, {
  name: "a driver's pages",
  states: {
    'as mapped': driverPages,
    'with a reference': referenced,
    'reference gone': noMoreReferenced,
    pinned,
  },
});
console.log('move_pages() of one of them, step by step:');
await printSteps(kernel, driverPages);
