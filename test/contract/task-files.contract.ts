/**
 * /proc/PID: who may read it, and what stat and status tell of a process and its threads.
 *
 * Source: proc_pid(5), proc_pid_stat(5), proc_pid_status(5), ptrace(2), "Ptrace access mode
 * checking"; fs/proc/base.c, proc_mem_open(); fs/proc/array.c.
 */

import { expect } from 'vitest';
import { errnoName } from '../../lib/core/errno.ts';
import { parseStat, type TaskStat } from '../../lib/procfs/stat.ts';
import { hasCapability, parseStatus, type TaskStatus } from '../../lib/procfs/status.ts';
import { expendable, memoryNodes, privileged } from '../support/needs.ts';
import { familyFor, filesOf, settingsOf } from './objects.ts';
import { mapPages } from './pages.ts';
import type { Conditions, DeclareTest, OpenSubject, Scene } from './scene.ts';
import type { WorldProcess } from './world.ts';

const USER = 1000;
const OTHER_USER = 1001;
const OF_MEMORY = ['maps', 'numa_maps', 'smaps'] as const;
const OPEN_TO_ALL = ['stat', 'status', 'cmdline'] as const;

/** `ok`, `empty`, or the name of the error, of each file and of the pagemap. */
async function seenBy(
  reader: WorldProcess,
  pid: number,
  address: bigint,
): Promise<Readonly<Record<string, string>>> {
  const seen: Record<string, string> = {};
  for (const file of [...OF_MEMORY, ...OPEN_TO_ALL]) {
    const result = await reader.files.readText(`/proc/${pid}/${file}`);
    const read = result.ok && result.value === '' ? 'empty' : 'ok';
    seen[file] = result.ok ? read : errnoName(result.errno);
  }
  const result = await reader.files.pagemap({ address, pageCount: 1 }, pid);
  return { ...seen, pagemap: result.ok ? 'ok' : errnoName(result.errno) };
}

const each = (files: readonly string[], word: string): Record<string, string> =>
  Object.fromEntries(files.map((file) => [file, word]));
const ALL = each([...OF_MEMORY, ...OPEN_TO_ALL, 'pagemap'], 'ok');
const NO_MEMORY = { ...ALL, ...each([...OF_MEMORY, 'pagemap'], 'EACCES') };
const WITHOUT_MEMORY = { ...ALL, ...each([...OF_MEMORY, 'cmdline'], 'empty') };

function declareAccess(declare: DeclareTest): void {
  const conditions: Conditions = { traits: ['files', 'sharing', 'setuid'], needs: [privileged] };
  declare('who may not trace a process may not read its memory', conditions, async (scene) => {
    const { process, world, machine } = scene;
    const { address } = await mapPages(process, machine, 1);
    const [root, user, other] = [await world.spawn(), await world.spawn(), await world.spawn()];
    for (const [reader, uid] of [
      [user, USER],
      [other, OTHER_USER],
    ] as const) {
      expect(await reader.setuid(uid)).toSucceed();
      expect(await reader.setDumpable()).toSucceed();
    }
    const seen = (reader: WorldProcess): Promise<object> => seenBy(reader, process.pid, address);
    expect(await seen(user), 'of root').toEqual(NO_MEMORY);
    expect(await process.setuid(USER)).toSucceed();
    expect(await seen(user), 'of one that is not dumpable').toEqual(NO_MEMORY);
    expect(await process.setDumpable()).toSucceed();
    expect(await seen(user), 'of the same user').toEqual(ALL);
    expect(await seen(other), 'of another user').toEqual(NO_MEMORY);
    expect(await seen(root), 'by root').toEqual(ALL);
    for (const reader of [root, user, other]) await reader.exit();
  });

  declare(
    'who has fewer privileges than a process may not look into it',
    { traits: ['files', 'sharing', 'states'], needs: [privileged] },
    async ({ process, world, machine, skip }) => {
      const { address } = await mapPages(process, machine, 1);
      const reader = await world.spawn();
      expect(await seenBy(reader, process.pid, address)).toEqual(ALL);
      // All privileges inside, none of those that the other has.
      const unshared = await reader.unshareUser();
      if (unshared?.ok !== true) skip('needs user namespaces');
      expect(await seenBy(reader, process.pid, address)).toEqual(NO_MEMORY);
      const request = { pid: process.pid, pages: { address, pageCount: 1 }, nodes: null };
      const asked = await reader.numa.movePages({
        ...request,
        flags: 0,
        status: new Int32Array(1),
      });
      expect(asked).toFailWith('move_pages', 'EPERM');
      await reader.exit();
    },
  );

  declare(
    'threads of the kernel have files of memory that are empty',
    { traits: ['files', 'states'] },
    async (scene) => {
      const { process, world, facts, skip } = scene;
      const pid = world.kernelThread ?? skip('needs to see a thread of the kernel');
      const pagemap = facts.pagemapNeedsMemory ? 'ESRCH' : 'ok';
      expect(await seenBy(process, pid, 0n)).toEqual({ ...WITHOUT_MEMORY, pagemap });
      expect(await statOf(scene, pid)).toMatchObject({
        name: 'kthreadd',
        state: 'S',
        parentPid: 0,
        virtualBytes: 0,
      });
    },
  );
}

function declareEnds(declare: DeclareTest): void {
  const conditions: Conditions = { traits: ['files', 'sharing', 'states'] };
  declare('a process that has ended is shown without its memory', conditions, async (scene) => {
    const { process, facts, skip } = scene;
    const result = await process.forkEnded();
    if (result?.ok !== true) return skip('needs a child that has ended');
    const pid = result.value;
    const pagemap = facts.pagemapNeedsMemory ? 'ESRCH' : 'ok';
    expect(await seenBy(process, pid, 0n)).toEqual({ ...WITHOUT_MEMORY, pagemap });
    const stat = await statOf(scene, pid);
    expect(stat).toMatchObject({ id: pid, state: 'Z', parentPid: process.pid, threadCount: 1 });
    expect([stat.virtualBytes, (await statOf(scene, process.pid)).virtualBytes > 0]).toEqual([
      0,
      true,
    ]);
    const status = await statusOf(scene, pid);
    expect(status).toMatchObject({ threadGroupId: pid, residentBytes: null });
    expect(await filesOf(scene.world).readNames(`/proc/${pid}/task`)).toSucceed([String(pid)]);
  });

  declare(
    'nothing is there of a process that somebody has waited for',
    conditions,
    async (scene) => {
      const { process } = scene;
      const child = await process.fork();
      await child.exit();
      const seen = await seenBy(process, child.pid, 0n);
      expect(seen).toEqual(each(Object.keys(ALL), 'ENOENT'));
      const names = await filesOf(scene.world).readNames(`/proc/${child.pid}/task`);
      expect(names).toFailWith('scandir', 'ENOENT');
    },
  );
}

async function statOf({ world }: Scene, pid: number, tid?: number): Promise<TaskStat> {
  const task = tid === undefined ? '' : `/task/${tid}`;
  const result = await filesOf(world).readText(`/proc/${pid}${task}/stat`);
  expect(result).toSucceed();
  const text = result.ok ? result.value : '';
  expect(text.slice(text.lastIndexOf(')')).trim().split(' ')).toHaveLength(51);
  const stat = parseStat(text);
  if (stat === null) throw new Error(`no line of stat: ${text}`);
  return stat;
}

async function statusOf({ world }: Scene, pid: number): Promise<TaskStatus> {
  const result = await filesOf(world).readText(`/proc/${pid}/status`);
  expect(result).toSucceed();
  return parseStatus(result.ok ? result.value : '');
}

function declareTasks(declare: DeclareTest): void {
  const conditions: Conditions = { traits: ['files', 'sharing'] };
  declare(
    'stat names the process, its parent, its threads and its start',
    conditions,
    async (scene) => {
      const { process } = scene;
      const own = await statOf(scene, process.pid);
      expect(own).toMatchObject({ id: process.pid, threadCount: 1 });
      const child = await process.fork();
      const stat = await statOf(scene, child.pid);
      expect(stat).toMatchObject({ id: child.pid, name: own.name, parentPid: process.pid });
      expect(stat.startTicks).toBeGreaterThanOrEqual(own.startTicks);
      expect((await statOf(scene, child.pid)).startTicks).toBe(stat.startTicks);
      const result = await filesOf(scene.world).readNames('/proc');
      const names = result.ok ? result.value : [];
      expect(names).toEqual(
        expect.arrayContaining([String(process.pid), String(child.pid), 'self']),
      );
    },
  );

  declare(
    'stat tells the processor that a thread was bound to',
    { traits: ['files', 'threads'] },
    async (scene) => {
      const { process, machine } = scene;
      const cpus = machine.topology.nodes.flatMap((node) => node.cpus);
      const [first = 0, last = first] = [cpus[0], cpus.at(-1)];
      const other = await process.thread();
      expect(await process.runOnCpu(first)).toSucceed();
      expect(await other.runOnCpu(last)).toSucceed();
      const result = await filesOf(scene.world).readNames(`/proc/${process.pid}/task`);
      const tids = (result.ok ? result.value : []).map(Number).sort((a, b) => a - b);
      expect(tids).toHaveLength(2);
      const [own, second] = [process.pid, tids.find((tid) => tid !== process.pid) ?? 0];
      expect(await statOf(scene, own, own)).toMatchObject({ id: own, processor: first });
      expect(await statOf(scene, own, second)).toMatchObject({ id: second, processor: last });
      expect(await statOf(scene, own)).toMatchObject({ threadCount: 2, processor: first });
      // A thread is found by its number, too.
      expect(await statOf(scene, second)).toMatchObject({ id: second, threadCount: 2 });
      expect(await statusOf(scene, second)).toMatchObject({
        threadGroupId: own,
        cpusAllowed: [last],
      });
      expect(await statusOf(scene, own)).toMatchObject({ cpusAllowed: [first] });
    },
  );

  const setuid: Conditions = { traits: ['files', 'sharing', 'setuid'], needs: [privileged] };
  declare('status tells the user and its privileges', setuid, async (scene) => {
    const { process } = scene;
    const before = await statusOf(scene, process.pid);
    expect(before).toMatchObject({ effectiveUid: 0, realUid: 0, threadGroupId: process.pid });
    expect(hasCapability(before, 'CAP_SYS_NICE')).toBe(true);
    expect(await process.setuid(USER)).toSucceed();
    const after = await statusOf(scene, process.pid);
    expect(after).toMatchObject({ effectiveUid: USER, realUid: USER, effectiveCapabilities: 0n });
    expect(after.nodesAllowed).toEqual(scene.machine.memoryNodes);
    expect(after.hasNoNewPrivileges).toBe(false);
  });

  declare(
    "status tells the nodes of the process's cpuset",
    { traits: ['files', 'settings'], needs: [expendable, memoryNodes(2)] },
    async ({ process, machine, world }) => {
      const [, second = 0] = machine.memoryNodes;
      await settingsOf(world).withCpusets(async (create) => {
        const cpuset = await create();
        expect(await cpuset.setMems(String(second))).toSucceed();
        expect(await cpuset.attach(process.pid)).toSucceed();
        const result = await filesOf(world).readText(`/proc/${process.pid}/status`);
        const text = result.ok ? result.value : '';
        expect(text).toMatch(new RegExp(`^Mems_allowed_list:\\t${second}$`, 'm'));
        const mask = (2 ** second).toString(16).padStart(8, '0');
        expect(text).toMatch(new RegExp(`^Mems_allowed:\\t(00000000,)*${mask}$`, 'm'));
        expect(await cpuset.leave(process.pid)).toSucceed();
      });
    },
  );
}

function declarePaths(declare: DeclareTest): void {
  declare(
    'what is not there, no folder or a folder is refused',
    { traits: ['files'] },
    async (scene: Scene) => {
      const files = filesOf(scene.world);
      const rows = [
        ['/proc/self/nonsense', 'ENOENT'],
        ['/proc/0/stat', 'ENOENT'],
        ['/proc/self/task/1/stat', 'ENOENT'],
        ['/proc/self/maps/', 'ENOTDIR'],
        ['/proc/self/maps/x', 'ENOTDIR'],
        ['/proc/self', 'EISDIR'],
        ['/sys/devices/system/node/node1023/cpulist', 'ENOENT'],
        ['/sys/devices/system/node', 'EISDIR'],
      ] as const;
      for (const [path, name] of rows) {
        const result = await files.readText(path);
        expect(result.ok ? 'ok' : errnoName(result.errno), path).toBe(name);
      }
      expect(await files.readNames('/proc/self/maps')).toFailWith('scandir', 'ENOTDIR');
      expect(await files.readNames('/proc/self/nonsense')).toFailWith('scandir', 'ENOENT');
      const [once, again] = [
        await files.readText('/proc/self/comm'),
        await files.readText('/proc/../proc//self/./comm'),
      ];
      expect(again).toEqual(once);
    },
  );
}

export function taskFilesContract(subject: OpenSubject): void {
  familyFor(subject, 'files of processes', ['files'], (declare) => {
    declareAccess(declare);
    declareEnds(declare);
    declareTasks(declare);
    declarePaths(declare);
  });
}
