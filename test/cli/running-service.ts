/**
 * A service that runs beside the tests and answers requests all the time, and what its clients see.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isEmulated } from '../support/environment.ts';

/** Asked again at once, client and service would take two emulated CPUs for themselves. */
const PAUSE_MS = isEmulated ? 20 : 2;
const SERVICE = fileURLToPath(new URL('./workers/service.mjs', import.meta.url));

/** How long the slowest step of each request took, in microseconds. */
export interface Stalls {
  readonly requestCount: number;
  readonly medianUs: number;
  readonly p99Us: number;
  readonly longestUs: number;
  /** Requests by the power of two of microseconds that their slowest step took. */
  readonly histogram: Readonly<Record<string, number>>;
}

export class RunningService {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });
  #isAsked = false;
  #asking: Promise<void> = Promise.resolve();

  private constructor(child: ChildProcess, socketPath: string) {
    this.#child = child;
    this.#socketPath = socketPath;
    this.pid = child.pid as number;
  }

  /** @param launcher words before the program: what puts it on its nodes */
  static async start(mib: number, launcher: readonly string[]): Promise<RunningService> {
    const socketPath = join(tmpdir(), `service-${process.pid}-${Date.now()}.sock`);
    const words = [...launcher, process.execPath, SERVICE, socketPath, `${mib}`];
    const child = spawn(words[0] as string, words.slice(1), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit').then(([exitCode]) => {
      throw new Error(`the service ended while it started, with status ${exitCode}`);
    });
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
    ended.catch(() => undefined);
    return new RunningService(child, socketPath);
  }

  /** Requests go on, one after the other and a moment between them, while the work runs. */
  async whileAsked<T>(work: () => Promise<T>): Promise<{ value: T; stalls: Stalls }> {
    await this.#get('/times');
    this.#isAsked = true;
    this.#asking = this.#ask();
    try {
      const value = await work();
      return { value, stalls: await this.#stop() };
    } finally {
      this.#isAsked = false;
      await this.#asking;
    }
  }

  /** Whether its data are what it wrote. */
  async check(): Promise<{ sum: number; counted: number; writeCount: number }> {
    return JSON.parse(await this.#get('/check'));
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #ask(): Promise<void> {
    while (this.#isAsked) {
      await this.#get('/');
      // Clients are elsewhere, as a rule: their CPU time is not the service's.
      await setTimeout(PAUSE_MS);
    }
  }

  async #stop(): Promise<Stalls> {
    this.#isAsked = false;
    await this.#asking;
    const { timesUs } = JSON.parse(await this.#get('/times')) as { timesUs: number[] };
    return stallsOf(timesUs);
  }

  #get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.#socketPath, path, agent: this.#agent };
      const asked = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve(text));
        response.on('error', reject);
      });
      asked.on('error', reject);
      asked.end();
    });
  }
}

function stallsOf(timesUs: readonly number[]): Stalls {
  const sorted = [...timesUs].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const histogram: Record<string, number> = {};
  for (const time of sorted) {
    const power = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(time, 1))));
    histogram[power] = (histogram[power] ?? 0) + 1;
  }
  return {
    requestCount: sorted.length,
    medianUs: at(0.5),
    p99Us: at(0.99),
    longestUs: sorted.at(-1) ?? 0,
    histogram,
  };
}
