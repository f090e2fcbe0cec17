/**
 * The world of a kernel, this machine's or a guest's: one puppet that does nothing but fork the
 * processes that tests ask for, so that each starts fresh and cheaply, and read and write files.
 */

import { existsSync } from 'node:fs';
import { PF_KTHREAD } from '../../lib/core/uapi.ts';
import type { World, WorldProcess, WorldSubject } from '../contract/world.ts';
import { guestPort } from '../support/environment.ts';
import { readMachine } from '../support/host-machine.ts';
import { PUPPET_BINARY } from './build.mjs';
import { PuppetChannel } from './channel.ts';
import { readNodeCounters, readVmCounters } from './native-counters.ts';
import { nativeSettings } from './native-settings.ts';
import { type MachineFiles, machineFiles } from './puppet-files.ts';
import { PuppetProcess } from './puppet-process.ts';

/** In a process namespace of its own a container sees none, and this is some other process. */
const PARENT_OF_KERNEL_THREADS = 2;

async function findKernelThread(files: MachineFiles): Promise<number | null> {
  const stat = await files.readText(`/proc/${PARENT_OF_KERNEL_THREADS}/stat`);
  if (!stat.ok) return null;
  // The name before these fields, in parentheses, may hold anything.
  const fields = stat.value.replace(/^.*\) /s, '').split(' ');
  return Number(fields[6]) & PF_KTHREAD ? PARENT_OF_KERNEL_THREADS : null;
}

function openChannel(): PuppetChannel {
  if (guestPort !== undefined) return PuppetChannel.connect(guestPort);
  if (existsSync(PUPPET_BINARY)) return PuppetChannel.start(PUPPET_BINARY);
  throw new Error(`${PUPPET_BINARY} is missing: build it with node test/puppet/build.mjs`);
}

async function openPuppetWorld(): Promise<World> {
  const channel = openChannel();
  const files = machineFiles((line) => channel.send(line));
  const machine = await readMachine(files);
  const { values } = await channel.send('getpid');
  const origin = new PuppetProcess(channel, '', Number(values[0]), machine.pageSizeBytes);
  return {
    machine,
    settings: nativeSettings(files, machine.memoryNodes),
    files,
    kernelThread: await findKernelThread(files),
    nodeCounters: (node) => readNodeCounters(files, node),
    vmCounters: () => readVmCounters(files),
    spawn: (): Promise<WorldProcess> => origin.fork(),
    close: (): Promise<void> => channel.close(),
  };
}

export const puppetSubject: WorldSubject = {
  name: 'a process of this kernel',
  traits: new Set([
    'addresses',
    'sharing',
    'setuid',
    'mlock',
    'pointers',
    'contents',
    'objects',
    'areas',
    'references',
    'threads',
    'states',
    'settings',
    'counters',
    'files',
  ]),
  open: openPuppetWorld,
};
