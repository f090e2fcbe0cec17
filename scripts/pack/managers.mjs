// @ts-check
// Installs the tarball by each package manager, with each Node.js, into a project that has nothing
// else, and runs programs of it: `npm run smoke:managers`.

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder, projectFolder, runProgram } from '../guest/host.mjs';
import { fetchNode, nodeReleases } from '../sanitize/node-binaries.mjs';

const toolFolder = join(cacheFolder, 'managers');
const programs = join(projectFolder, 'test/package/consumer');

/**
 * A way to install; each is an npm package. Scripts are run by the Node.js that is tried.
 * @typedef {object} Manager
 * @property {string} name
 * @property {string} package and its version
 * @property {string} program
 * @property {string[]} add words before the tarball
 * @property {string[]} run words before a program of the project
 * @property {string[]} [start] words before a file of JavaScript: `run` and `node` unless told
 * @property {Record<string, string>} [files] settings of the project
 */

/** @type {readonly Manager[]} */
const managers = [
  ...['npm@11.21.2', 'npm@12.2.2'].map((one) => ({
    ...{ name: one, package: one, program: 'npm' },
    ...{ add: ['install', '--no-audit', '--no-fund'], run: ['exec', '--'] },
  })),
  ...['pnpm@10.34.8', 'pnpm@12.21.0'].map((one) => ({
    ...{ name: one, package: one, program: 'pnpm', add: ['add'], run: ['exec'] },
  })),
  {
    ...{ name: 'yarn@1.22.22', package: 'yarn@1.22.22', program: 'yarn' },
    ...{ add: ['add', '--non-interactive'], run: ['--silent', 'run'], start: ['--silent', 'node'] },
  },
  ...['node-modules', 'pnp'].map((linker) => ({
    ...{ name: `yarn@4.18.1 ${linker}`, package: '@yarnpkg/cli-dist@4.18.1' },
    ...{ program: 'yarn', add: ['add'], run: ['run'], start: ['node'] },
    files: {
      '.yarnrc.yml': [
        ...[`nodeLinker: ${linker}`, 'enableTelemetry: false', 'enableGlobalCache: true', ''],
      ].join('\n'),
      'yarn.lock': '',
    },
  })),
  {
    ...{ name: 'bun@1.4.5', package: 'bun@1.4.5', program: 'bun' },
    ...{ add: ['add'], run: ['run'] },
  },
];

/**
 * What a runtime of its own does with what npm has installed.
 * @typedef {object} Runtime
 * @property {string} name
 * @property {string} package
 * @property {string} program
 * @property {string[]} run
 */

/** @type {readonly Runtime[]} */
const runtimes = [
  { name: 'bun@1.4.5', package: 'bun@1.4.5', program: 'bun', run: ['run'] },
  { name: 'deno@2.9.6', package: 'deno@2.9.6', program: 'deno', run: ['run', '-A'] },
];

const usage = `usage: npm run smoke:managers [-- --manager TEXT] [--node MAJOR] [--tarball FILE]

Installs the package by ${[...managers.map(({ name }) => name)].join(', ')}
with Node.js ${Object.keys(nodeReleases).join(', ')}, and runs what it installed by
${runtimes.map(({ name }) => name).join(' and ')}, too. Exit status: 0 if all of it works without
a word about node-numa, 1 if not, 2 bad usage. Both choices may be repeated.
`;

/** What npm sets for its children is not of a project that is tried. */
const plainEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_(NUMA|OPTIONS|PATH)|INIT_CWD)/i.test(name),
  ),
);

process.exitCode = await main();

/** @returns {Promise<number>} exit status */
async function main() {
  const { chosen, majors, file, isHelp } = readParameters();
  if (isHelp || chosen === undefined) {
    process.stdout.write(usage);
    return isHelp ? 0 : 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'node-numa-managers-'));
  let failed = 0;
  try {
    const tarball = file ?? (await packed(folder));
    const tell = (/** @type {string} */ name, /** @type {string | undefined} */ fault) => {
      if (fault !== undefined) failed += 1;
      process.stdout.write(`${name.padEnd(34)} ${fault ?? 'ok'}\n`);
    };
    for (const major of majors) {
      const node = (await fetchNode(nodeReleases[major])).path;
      for (const manager of chosen) {
        const project = mkdtempSync(join(folder, 'project-'));
        tell(`${manager.name}, Node ${major}`, await tryManager(manager, node, project, tarball));
        if (!manager.package.startsWith('npm@') || major !== majors[0]) continue;
        for (const runtime of runtimes) {
          tell(`${runtime.name} on ${manager.name}`, await tryRuntime(runtime, project));
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return failed === 0 ? 0 : 1;
}

/** @typedef {keyof typeof nodeReleases} Major */

function readParameters() {
  const { values } = parseArgs({
    options: {
      manager: { type: 'string', multiple: true, default: [''] },
      node: { type: 'string', multiple: true, default: Object.keys(nodeReleases) },
      tarball: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const chosen = managers.filter(({ name }) => values.manager.some((part) => name.includes(part)));
  const majors = /** @type {Major[]} */ (values.node.map(Number));
  const isKnown = chosen.length > 0 && majors.every((major) => major in nodeReleases);
  return {
    chosen: isKnown ? chosen : undefined,
    majors,
    file: values.tarball === undefined ? undefined : resolve(values.tarball),
    isHelp: values.help,
  };
}

/**
 * @param {string} folder
 * @returns {Promise<string>} the tarball's path
 */
async function packed(folder) {
  const words = ['pack', '--json', '--pack-destination', folder, '--loglevel=error'];
  const [{ filename }] = JSON.parse(await runProgram('npm', words, { cwd: projectFolder }));
  return join(folder, filename);
}

/**
 * @param {Manager | Runtime} tool
 * @returns {Promise<string>} its program's path
 */
async function fetchTool(tool) {
  const prefix = join(toolFolder, tool.package.replaceAll(/[@/]/g, '-'));
  const program = join(prefix, 'node_modules/.bin', tool.program);
  if (!existsSync(program)) {
    mkdirSync(prefix, { recursive: true });
    // Bun and Deno put their binaries in their place by a script.
    const words = [
      'install',
      '--prefix',
      prefix,
      '--no-audit',
      '--no-fund',
      '--force',
      tool.package,
    ];
    await runProgram('npm', words, { env: plainEnvironment });
  }
  return program;
}

/**
 * @param {Manager} manager
 * @param {string} node
 * @param {string} project
 * @param {string} tarball
 * @returns {Promise<string | undefined>} what is wrong, in a line
 */
async function tryManager(manager, node, project, tarball) {
  const program = await fetchTool(manager);
  const isScript = readFileSync(program).subarray(0, 2).toString() === '#!';
  const command = isScript ? [node, program] : [program];
  const own = join(project, 'node-numa.tgz');
  copyFileSync(tarball, own);
  writeProject(project, manager.files ?? {});
  const run = runner(project, node);
  const installed = run([...command, ...manager.add, './node-numa.tgz']);
  const words = `${installed.stdout}\n${installed.stderr}`;
  if (installed.status !== 0) return `install: ${tail(words)}`;
  const warning = words.split('\n').find((line) => isWarning(line));
  if (warning !== undefined) return `install says: ${warning.trim()}`;
  const inProject = [...command, ...manager.run];
  const version = run([...inProject, 'node-numa', '--version']);
  if (version.status !== 0) return `node-numa --version: ${tail(version.stderr || version.stdout)}`;
  const start = [...command, ...(manager.start ?? [...manager.run, 'node'])];
  return faultOfPrograms((file) => run([...start, file]));
}

/**
 * @param {Runtime} runtime
 * @param {string} project that has the package
 */
async function tryRuntime(runtime, project) {
  const program = await fetchTool(runtime);
  const run = runner(project, process.execPath);
  return faultOfPrograms((file) => run([program, ...runtime.run, file]));
}

/** @param {string} line of what a manager says; Yarn's YN0085 and YN0013 tell what was added */
function isWarning(line) {
  if (!line.includes('node-numa') || /YN00(85|13)/.test(line)) return false;
  return /warn|error|ignored|script|build|approve|YN0/i.test(line);
}

/**
 * @param {string} project
 * @param {Record<string, string>} files
 */
function writeProject(project, files) {
  writeFileSync(join(project, 'package.json'), '{ "name": "user", "private": true }\n');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  for (const name of ['esm.mjs', 'commonjs.cjs']) {
    copyFileSync(join(programs, name), join(project, name));
  }
}

/**
 * @param {string} project
 * @param {string} node that a program of the project finds
 */
function runner(project, node) {
  const env = { ...plainEnvironment, CI: '1', PATH: `${dirname(node)}:${process.env['PATH']}` };
  /** @param {string[]} words */
  return ([program = '', ...parameters]) =>
    spawnSync(program, parameters, {
      ...{ cwd: project, env, encoding: 'utf8', timeout: 300_000 },
    });
}

/** @param {(file: string) => { status: number | null, stdout: string, stderr: string }} run */
function faultOfPrograms(run) {
  for (const file of ['esm.mjs', 'commonjs.cjs']) {
    const { status, stdout, stderr } = run(file);
    if (status !== 0 || stderr.includes('node-numa')) return `${file}: ${tail(stderr || stdout)}`;
    const { kind, complete, total } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    const isRight = kind === 'native' && complete === true && total === 10;
    if (!isRight) return `${file}: ${stdout.trim()}`;
  }
  return undefined;
}

/** @param {string} text */
function tail(text) {
  const lines = text
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '');
  return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'no word').trim();
}
