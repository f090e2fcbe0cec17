// @ts-check
// npm run simulate: a page on its way from one node to another, one step of the kernel at a time,
// forwards and backwards.

import { emitKeypressEvents } from 'node:readline';
import { parseArgs } from 'node:util';
import { kernelLines } from 'node-numa/simulator';
import { drawFrame, drawLine } from './simulate/draw.mjs';
import { playScene } from './simulate/play.mjs';
import { scenes } from './simulate/scenes.mjs';

const names = [...scenes].map(([name, { summary }]) => `    ${name.padEnd(16)} ${summary}`);
const usage = `usage: npm run simulate -- [SCENE] [--kernel LINE] [--list | --json]

Walks one page through a migration on the simulator, in a terminal: each step of the kernel's
algorithm, with the page's entry in each process, both folios, and the free pages of the nodes.

${names.join('\n')}

  --kernel LINE   ${kernelLines.join(', ')}; default the newest
  --list          print all steps, a line each, and end; so it does where there is no terminal
  --json          the same as JSON
  --help          this text

Keys: right, space or n: next step. left or p: back. home, end, page up, page down. q: leave.
Exit status: 0, or 2 for bad usage.
`;

const options = readOptions();
if (options) await main(options);

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        kernel: { type: 'string', default: /** @type {string} */ (kernelLines.at(-1)) },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return undefined;
    }
    const [name = 'page', ...others] = positionals;
    const scene = scenes.get(name);
    if (!scene || others.length > 0) throw new Error(`no such scene: ${positionals.join(' ')}`);
    const kernel = kernelLines.find((line) => line === values.kernel);
    if (!kernel) throw new Error(`no such kernel: ${values.kernel}`);
    return { ...values, kernel, scene };
  } catch (error) {
    process.stderr.write(`${/** @type {Error} */ (error).message}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** @param {NonNullable<ReturnType<typeof readOptions>>} options */
async function main({ scene, kernel, list, json }) {
  const play = playScene(scene, kernel);
  if (json) {
    process.stdout.write(`${JSON.stringify(play.trace, null, 2)}\n`);
  } else if (list || !process.stdin.isTTY || !process.stdout.isTTY) {
    for (const line of [...play.title, '', ...play.frames.map(drawLine), '', play.verdict]) {
      process.stdout.write(`${line}\n`);
    }
  } else await step(play);
}

/**
 * @param {import('./simulate/play.mjs').Play} play
 */
async function step(play) {
  const { stdin, stdout } = process;
  const last = play.frames.length - 1;
  let at = 0;
  const show = () => {
    const width = stdout.columns ?? 80;
    stdout.write(`\u001b[2J\u001b[H${drawFrame(play, at, width).join('\n')}\n`);
  };
  /** @type {Record<string, () => number>} */
  const moves = {
    right: () => at + 1,
    space: () => at + 1,
    n: () => at + 1,
    left: () => at - 1,
    p: () => at - 1,
    home: () => 0,
    end: () => last,
    pageup: () => at - 10,
    pagedown: () => at + 10,
  };
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  // A screen of its own: what was there comes back.
  stdout.write('\u001b[?1049h');
  const redraw = () => show();
  stdout.on('resize', redraw);
  try {
    show();
    await new Promise((resolve) => {
      stdin.on('keypress', (_text, key) => {
        if (key.name === 'q' || key.name === 'escape' || (key.ctrl && key.name === 'c')) {
          resolve(undefined);
        }
        const move = moves[key.name];
        if (!move) return;
        at = Math.min(last, Math.max(0, move()));
        show();
      });
      stdin.on('end', () => resolve(undefined));
    });
  } finally {
    stdout.off('resize', redraw);
    stdout.write('\u001b[?1049l');
    stdin.setRawMode(false);
    stdin.pause();
  }
}
