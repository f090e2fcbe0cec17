// @ts-check
// npm run answers: asks kernels for all answers that are kept, or records them anew.

import { parseArgs } from 'node:util';
import { prepareKernels } from '../guest/kernel.mjs';
import { askAgain } from './ask-again.mjs';
import { buildHarness } from './bundle.mjs';
import { stop } from './guest-programs.mjs';
import { allLines } from './kept-answers.mjs';

const usage = `usage: npm run answers -- [options]

Asks kernels again for the answers to random programs that test/differential/answers keeps, and
compares. The simulator is compared with them by \`npx vitest run test/simulator/traces\`.

  --record        keep what they answer now, instead of comparing
  --kernel LINE   only this one; repeatable. ${allLines.join(', ')}
  --commit HASH   only the sample that CI asks for this commit
  --guests N      guests that run at once (default: 2)

Exit status: 0 when all was asked and the answers are the same, 1 otherwise.
`;

const { values } = parseArgs({
  options: {
    record: { type: 'boolean', default: false },
    kernel: { type: 'string', multiple: true, default: allLines },
    commit: { type: 'string' },
    guests: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

/** @param {string} text */
const say = (text) => {
  process.stdout.write(`${text}\n`);
};

async function main() {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const prepared = await prepareKernels(values.kernel);
  const absent = prepared.flatMap((one) => ('obstacle' in one ? [one] : []));
  for (const { line, obstacle } of absent) say(`${line}: ${obstacle.message}`);
  const there = prepared.flatMap((one) => ('kernel' in one ? [one.kernel] : []));
  const { problems } = await askAgain(await buildHarness(), {
    kernels: new Map(there.map(({ line, name }) => [line, name])),
    commit: values.commit,
    isRecording: values.record,
    guests: Number(values.guests),
    say,
  });
  return absent.length + problems.length === 0 ? 0 : 1;
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => stop.abort());
}
process.exitCode = await main();
