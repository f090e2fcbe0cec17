/**
 * A container engine, where one answers: an image with this package in it, and runs of it.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inGuest } from '../support/environment.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCKERFILE = fileURLToPath(new URL('Dockerfile', import.meta.url));
const ADDON = 'build/Release/node_numa.node';
const PROGRAM = 'dist/cli/main.js';

/** What a run printed, and how it ended. */
export interface ContainerRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Why no container can be run here; `undefined` where one can. */
export function engineObstacle(): string | undefined {
  if (inGuest) return 'containers are run on the host';
  for (const path of [ADDON, PROGRAM]) {
    if (!existsSync(join(ROOT, path))) return `${path} is not built: npm run build`;
  }
  const format = '{{.OSType}} {{.SecurityOptions}}';
  const asked = spawnSync('docker', ['info', '--format', format], { encoding: 'utf8' });
  if (asked.error !== undefined) return 'there is no program docker';
  const said = asked.stdout.trim();
  if (asked.status !== 0 || said === '') return 'no container engine answers `docker info`';
  if (!said.startsWith('linux')) return `the containers of this engine are no Linux: ${said}`;
  if (!said.includes('name=seccomp')) return 'this engine has no seccomp profile';
  if (said.includes('name=rootless')) return 'this engine is rootless: it cannot give CAP_SYS_NICE';
  return undefined;
}

/** Builds the image of ./Dockerfile, with what this repository has built. */
export function buildImage(tag: string): void {
  const context = mkdtempSync(join(tmpdir(), 'node-numa-image-'));
  try {
    for (const path of ['package.json', 'dist', 'docs/seccomp', ADDON, ...dependencies()]) {
      cpSync(join(ROOT, path), join(context, 'package', path), { recursive: true });
    }
    execFileSync('docker', ['build', '--quiet', '--tag', tag, '--file', DOCKERFILE, context], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } finally {
    rmSync(context, { recursive: true });
  }
}

export function removeImage(tag: string): void {
  spawnSync('docker', ['rmi', '--force', tag]);
}

/** Runs a command in a fresh container without a network. */
export function runContainer(
  tag: string,
  options: readonly string[],
  command: readonly string[],
): ContainerRun {
  const words = ['run', '--rm', '--network', 'none', ...options, tag, ...command];
  const { stdout, stderr, status } = spawnSync('docker', words, { encoding: 'utf8' });
  return { stdout, stderr, status };
}

/** Folders of the packages that this one needs to run. */
function dependencies(): string[] {
  const found = new Set<string>();
  const open = Object.keys(dependenciesOf('package.json'));
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const folder = `node_modules/${name}`;
    if (found.has(folder)) continue;
    found.add(folder);
    open.push(...Object.keys(dependenciesOf(`${folder}/package.json`)));
  }
  return [...found];
}

function dependenciesOf(path: string): Readonly<Record<string, string>> {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  return dependencies;
}
