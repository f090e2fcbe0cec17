// Memory that is pinned as get_user_pages() does it: a program's own pages, which no child gets,
// locked, and pinned for a device. Who can move them before the pin, with it and after it?
// On the simulator, as any of its kernels: node examples/pinned-buffer.mjs [6.1|6.12|6.18|7.2]
// docs/pinned-memory.md has the command that does the same to real pins.

import { kernelLines, MADV } from 'node-numa/simulator';
import { begin, onNear, printSteps, printVerdicts, verdict } from './support/verdicts.mjs';

const [kernel = kernelLines.at(-1)] = process.argv.slice(2);

/** The flags of the mapping are VM_DONTCOPY and VM_LOCKED. */
function ownPages(program) {
  const span = { address: program.memory.mmap({ pageCount: 4 }).value, pageCount: 4 };
  program.areas.madvise(span, MADV.DONTFORK);
  onNear(program, () => program.memory.mlock(span));
  return span;
}

function hugePage(program) {
  const span = { address: 0x2aaa_0000_0000n, pageCount: 512, isHuge: true };
  program.memory.mmap(span);
  program.areas.madvise(span, MADV.HUGEPAGE);
  onNear(program, () => program.memory.touch({ ...span, pageCount: 1 }, 'write'));
  return span;
}

/** A long-term pin of some of the pages, which may have ended. */
function pinned(map, pageCount, isReleased = false) {
  return (program) => {
    const span = map(program);
    const release = program.mainThread.pin({ ...span, pageCount });
    if (isReleased) release();
    return span;
  };
}

console.log(`Simulated, as Linux ${kernel}\n`);
await printVerdicts(kernel, {
  name: "a program's pages",
  states: {
    'before the pin': ownPages,
    pinned: pinned(ownPages, 4),
    'pin released': pinned(ownPages, 4, true),
  },
});
await printVerdicts(kernel, {
  name: 'a huge page',
  states: {
    'before the pin': hugePage,
    'one page pinned': pinned(hugePage, 1),
    'pin released': pinned(hugePage, 1, true),
  },
});

console.log('a reference for a moment, which so many tries find:');
for (const tries of [9, 10]) {
  const scene = begin(kernel, ownPages);
  scene.machine.faults.busy(scene.process, scene.span, tries);
  console.log(`${`${tries} tries`.padEnd(23)}${await verdict(scene)}`);
}

console.log('\nmove_pages() of one page that a pipe refers to, step by step:');
await printSteps(kernel, (program) => {
  const span = ownPages(program);
  program.references.splice(span);
  return span;
});
console.log('\nmove_pages() of one page that is pinned, step by step:');
await printSteps(kernel, pinned(ownPages, 4));
