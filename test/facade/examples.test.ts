/** What the README and examples/ show runs as it stands there, on machines with two nodes. */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { needNodes } from './machine.ts';

const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
const examples = readdirSync(`${projectFolder}/examples`).filter((name) => name.endsWith('.mjs'));

async function outputOf(parameters: string[]): Promise<string> {
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, parameters, { cwd: projectFolder });
  expect(stderr).toBe('');
  return stdout;
}

describe('examples', () => {
  it('has the examples that the README speaks of', () => {
    expect(examples).toContain('relocate.mjs');
  });

  it('runs the JavaScript example of the README', async (context) => {
    needNodes(context, 2);
    const readme = readFileSync(`${projectFolder}/README.md`, 'utf8');
    const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const output = await outputOf(['--input-type=module', '--eval', code]);
    expect(output).toMatch(/moved: 65536/);
  });

  it.for(examples)('runs examples/%s', async (name, context) => {
    needNodes(context, 2);
    const output = await outputOf([`examples/${name}`]);
    expect(output).toMatch(/pages moved/);
  });
});
