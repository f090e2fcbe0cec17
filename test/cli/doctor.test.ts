/** `node-numa doctor`: its JSON, its text at each width, and where nothing is allowed. */

import { Command } from 'commander';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { doctorCommand } from '../../lib/cli/commands/doctor.ts';
import { Interrupts } from '../../lib/cli/interrupts.ts';
import { Output } from '../../lib/cli/output.ts';
import { type NumaCall, numaCalls } from '../../lib/core/calls.ts';
import { NumaError } from '../../lib/core/errors.ts';
import { oldestKernelLine } from '../../lib/core/kernels.ts';
import { type Numa, openNuma } from '../../lib/index.ts';
import type { Examination } from '../../lib/services/doctor/examine.ts';
import { Machine, presets } from '../../lib/simulator/public.ts';
import { runCommand, SNAPSHOT_KERNEL } from './run-command.ts';

/** The command on a machine that is made here. */
async function examine(open: () => Numa, options = {}, columns?: number) {
  let stdout = '';
  let stderr = '';
  const output = new Output(
    {
      stdout: {
        ...(columns === undefined ? {} : { isTTY: true, columns }),
        write: (text) => {
          stdout += text;
        },
      },
      stderr: {
        write: (text) => {
          stderr += text;
        },
      },
    },
    { NO_COLOR: '1' },
  );
  const interrupts = new Interrupts(process);
  const program = new Command();
  const exitCode = await doctorCommand.run({
    options,
    args: [],
    output,
    interrupts,
    open,
    textOf: ({ message }) => message,
    program,
  });
  return { exitCode, stdout, stderr };
}

/** A machine on which a filter refuses calls. */
function denied(calls: readonly NumaCall[]): () => Numa {
  const machine = new Machine(presets.fourNodes, { kernel: SNAPSHOT_KERNEL });
  for (const call of calls) machine.faults.deny(call);
  return () => openNuma({ machine });
}

describe('doctor', () => {
  test('its JSON', async () => {
    const words = ['doctor', '--machine', 'four-nodes', '--kernel', oldestKernelLine, '--json'];
    const { exitCode, stdout, stderr } = await runCommand(words);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatchSnapshot();
  });

  test.each([40, 80, 200])('the text where all is denied, at %i columns', async (columns) => {
    const { exitCode, stdout, stderr } = await examine(denied(numaCalls), {}, columns);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatchSnapshot();
    // Command lines are whole, for those who copy them; all else is broken between words.
    const isCommand = (line: string): boolean => /^ {2}\S/.test(line);
    const isLong = (line: string): boolean => stringWidth(line) > columns && !isCommand(line);
    const tooLong = stdout.split('\n').slice(1).filter(isLong);
    expect(tooLong.filter((line) => line.trim().includes(' '))).toEqual([]);
  });

  test('one call that is denied is a problem, with the verbs that lack it', async () => {
    const { stdout } = await examine(denied(['move_pages']), { json: true });
    const { findings } = JSON.parse(stdout) as Examination;
    const byId = new Map(findings.map((finding) => [finding.id, finding]));
    expect(byId.get('calls.move_pages')).toMatchObject({ state: 'problem' });
    expect(byId.get('calls.move_pages')?.remedies.length).toBeGreaterThan(0);
    expect(byId.get('calls.mbind')?.state).toBe('ok');
    expect(byId.get('verbs')?.text).toContain('process(pid).migrateMappings()');
    expect(byId.get('verbs')?.text).not.toContain('buffer.migrate()');
    expect(byId.get('verbs.buffer.migrate()')).toMatchObject({ state: 'warning' });
    expect(byId.get('verbs.buffer.migrate()')?.text).toContain('mbind MPOL_MF_MOVE');
    expect(byId.has("verbs.buffer.setPolicy({ move: 'own' })")).toBe(false);
    expect(byId.get('verbs.buffer.residency()')).toMatchObject({ state: 'warning' });
    for (const { state, remedies } of findings) if (state === 'ok') expect(remedies).toEqual([]);
  });

  test('where nothing is amiss, it says so', async () => {
    const { stdout } = await examine(denied([]));
    expect(stdout).toMatch(/\nall is well\n$/);
  });

  test('without a backend it says why, and ends with 4', async () => {
    const hint = 'install libnuma1 (Debian)';
    const open = (): Numa => {
      const code = 'NUMA_BACKEND_UNAVAILABLE' as const;
      const cause = new NumaError('no backend: libnuma.so.1 is not installed', { code, hint });
      throw new NumaError(`${cause.message}; see --machine`, { code }, { cause });
    };
    const text = await examine(open);
    expect(text.exitCode).toBe(4);
    expect(text.stdout).toMatchInlineSnapshot(`
      "problem  no backend: libnuma.so.1 is not installed

      What would help:
        install libnuma1 (Debian)
            the addon can be loaded
            for backend

      1 problem, 0 warnings
      "
    `);
    const { exitCode, stdout } = await examine(open, { json: true });
    expect(exitCode).toBe(4);
    const remedies = [{ action: hint, effect: 'the addon can be loaded' }];
    expect(JSON.parse(stdout)).toMatchObject({
      backend: null,
      capabilities: null,
      findings: [{ id: 'backend', state: 'problem', remedies }],
    });
  });

  test('other errors are not its own', async () => {
    const open = (): Numa => {
      throw new TypeError('a fault');
    };
    await expect(examine(open)).rejects.toThrow('a fault');
  });
});

describe('--seccomp-profile', () => {
  test('prints a profile that allows the six calls to all, and nothing else', async () => {
    const { exitCode, stdout } = await runCommand(['doctor', '--seccomp-profile']);
    expect(exitCode).toBe(0);
    const profile = JSON.parse(stdout) as {
      defaultAction: string;
      syscalls: { names: string[]; action: string; includes?: object; excludes?: object }[];
    };
    expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO');
    const last = profile.syscalls.at(-1);
    expect(last).toEqual({
      names: [...numaCalls].sort(),
      action: 'SCMP_ACT_ALLOW',
      comment: 'node-numa',
    });
    const isNuma = (name: string): boolean => (numaCalls as readonly string[]).includes(name);
    const others = profile.syscalls.slice(0, -1).filter(({ names }) => names.some(isNuma));
    for (const rule of others) expect(rule.includes).toEqual({ caps: ['CAP_SYS_NICE'] });
    // What an engine refuses by default stays refused.
    const open = profile.syscalls.filter(
      ({ action, includes }) => action === 'SCMP_ACT_ALLOW' && includes === undefined,
    );
    const allowed = new Set(open.flatMap(({ names }) => names));
    for (const name of ['mount', 'bpf', 'io_uring_setup', 'keyctl', 'ptrace', 'unshare']) {
      expect(allowed.has(name), name).toBe(false);
    }
  });
});
