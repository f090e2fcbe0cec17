/**
 * Programs for `puppet batch`, which runs them without a word from outside. The one interpreter
 * serves twice: first nobody answers, and the lines it sends are the script; later the recorded
 * replies answer the same lines, and the outcome comes out. It may send fewer the second time, as
 * what it skips depends on replies.
 */

import type { SyscallResult } from '../../lib/backend/syscall-result.ts';
import type { CpusetCalls } from '../../lib/machine/settings.ts';
import type { Reply } from '../puppet/channel.ts';
import { hex } from '../puppet/line-text.ts';
import { PuppetProcess } from '../puppet/puppet-process.ts';
import type { Later } from '../support/later.ts';
import { normalised } from './compare.ts';
import { type ProgramWorld, runProgram } from './interpret.ts';
import type { Outcome } from './outcome.ts';
import type { GroupKind, Program } from './program.ts';
import { PAGE_SIZE_BYTES } from './program.ts';
import { UNCHANGED, type Watch } from './watch.ts';

/** As in test/puppet/batch.h. */
const BATCH_PID_FIRST = 1_000_000_000;
const BATCH_KEEPER = 15;
/** Descriptors that nothing else takes. */
const PIN_FIRST = 100;
const OBJECT_FIRST = 200;
const ORIGIN_PREFIX = /^(?:child (\d+) )*/;

/** Turns the lines of a world's processes into those of a batch. */
class BatchLines {
  #forks = 0;
  #pins = 0;
  #objects = 0;

  /** The line, and what is answered if all goes well. `undefined` for the origin's fork. */
  translate(line: string): { text: string; reply: Reply } | undefined {
    const [prefix, number] = ORIGIN_PREFIX.exec(line) as RegExpExecArray;
    const command = line.slice(prefix.length);
    const [name] = command.split(' ', 1);
    if (number === undefined) return undefined;
    const as = (extra: string, ...values: string[]): { text: string; reply: Reply } => ({
      text: `${number} ${command}${extra}`,
      reply: { errno: 0, values },
    });
    if (name === 'fork') {
      this.#forks += 1;
      return as(` ${this.#forks}`, ...forkValues(this.#forks));
    }
    if (name === 'pin' || name === 'register_buffer') {
      const pin = String(PIN_FIRST + this.#pins++);
      return as(` ${pin}`, pin);
    }
    if (name === 'create_object') {
      const object = String(OBJECT_FIRST + this.#objects++);
      return as(` ${object}`, object, '0');
    }
    return name === 'get_mempolicy' || name === 'move_pages' ? as('', '0', 'none') : as('', '0');
  }
}

function forkValues(number: number): [string, string] {
  return [String(number), String(BATCH_PID_FIRST + number)];
}

type Answer = (text: string, expected: Reply) => Reply;

/** Groups whose files the keeper writes; it removes them when the program has ended. */
function groupSettings(answer: Answer): NonNullable<ProgramWorld['settings']> {
  const write = async (line: string): Promise<SyscallResult<undefined>> => {
    const { errno } = answer(`${BATCH_KEEPER} ${line}`, { errno: 0, values: ['0'] });
    return errno === 0 ? { ok: true, value: undefined } : { ok: false, errno, syscall: 'write' };
  };
  const creating = (kind: GroupKind): (() => Promise<Later<CpusetCalls>>) => {
    let count = 0;
    return async () => {
      const number = count++;
      const made = await write(`make_group ${number} ${kind}`);
      if (!made.ok) throw new Error(`no group: errno ${made.errno}`);
      return {
        setMems: (nodes) => write(`set_mems ${number} ${nodes}`),
        attach: (pid) => write(`join_group ${number} ${pid}`),
        leave: (pid) => write(`join_group root ${pid}`),
      };
    };
  };
  return {
    // Of the guest, before its batch begins.
    withHugePool: (_pagesPerNode, body) => body(),
    withTransparentHugePages: (body) => body(),
    withCpusets: (body) => body(creating('v2')),
    withOldCpusets: (migrates, body) => body(creating(migrates ? 'v1-migrate' : 'v1')),
  };
}

/** Each process looks at itself. */
function watching(answer: Answer): Watch {
  return async ({ pid }, { address, pageCount }) => {
    const line = `watch ${hex(address)} ${pageCount * PAGE_SIZE_BYTES}`;
    const expected = { errno: 0, values: [UNCHANGED] };
    return answer(`${pid - BATCH_PID_FIRST} ${line}`, expected).values[0] as string;
  };
}

/** Runs the program with processes whose every line `answer` answers. */
async function play(program: Program, answer: Answer): Promise<Outcome> {
  const lines = new BatchLines();
  const channel = {
    send: async (line: string): Promise<Reply> => {
      const translated = lines.translate(line);
      if (translated === undefined) return { errno: 0, values: forkValues(0) };
      return answer(translated.text, translated.reply);
    },
  };
  const origin = new PuppetProcess(channel, '', 0, PAGE_SIZE_BYTES);
  const settings = groupSettings(answer);
  return runProgram({ spawn: () => origin.fork(), settings, watch: watching(answer) }, program);
}

/** The program's lines, in the order in which they run. */
export async function scriptOf(program: Program): Promise<string[]> {
  const script: string[] = [];
  await play(program, (text, expected) => {
    script.push(text);
    return expected;
  });
  return script;
}

function parseReply(text: string): Reply {
  if (!text.startsWith('!')) return { errno: 0, values: text.split(' ') };
  const [errno, ...values] = text.slice(1).split(' ');
  return { errno: Number(errno), values };
}

/** What came of a program, from its line of replies. */
export async function readOutcome(program: Program, replies: string): Promise<Outcome> {
  const script = await scriptOf(program);
  const texts = replies.split(';');
  if (texts.length !== script.length) {
    throw new Error(`seed ${program.seed}: ${texts.length} replies to ${script.length} lines`);
  }
  let next = 0;
  const outcome = await play(program, (text) => {
    while (next < script.length && script[next] !== text) next += 1;
    const reply = texts[next++];
    if (reply === undefined) throw new Error(`seed ${program.seed}: nothing answers ${text}`);
    return parseReply(reply);
  });
  return normalised(program, outcome);
}

export interface BatchResult {
  readonly release: string;
  /** A line for each program. */
  readonly replies: readonly string[];
  readonly seconds: number;
}

/** What `puppet batch` has written; undefined if it did not come to its end. */
export function parseBatch(text: string): BatchResult | undefined {
  const lines = text.trimEnd().split('\n');
  const [, release] = /^batch (\S+)$/.exec(lines[0] ?? '') ?? [];
  const [, ms] = /^end (\d+)$/.exec(lines.at(-1) ?? '') ?? [];
  if (release === undefined || ms === undefined) return undefined;
  return { release, replies: lines.slice(1, -1), seconds: Number(ms) / 1000 };
}
