/**
 * The world of a kernel, this machine's or a guest's: one puppet that does nothing but fork the
 * processes that tests ask for, so that each starts fresh and cheaply, and read and write files.
 */

import { existsSync } from 'node:fs';
import type { World, WorldProcess, WorldSubject } from '../contract/world.ts';
import { guestPort } from '../support/environment.ts';
import { readMachine } from '../support/host-machine.ts';
import { PUPPET_BINARY } from './build.mjs';
import { PuppetChannel } from './channel.ts';
import { readNodeCounters, readVmCounters } from './native-counters.ts';
import { nativeSettings } from './native-settings.ts';
import { machineFiles } from './puppet-files.ts';
import { PuppetProcess } from './puppet-process.ts';
import { findKernelThread } from './puppet-states.ts';

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
    'pin',
    'mlock',
    'pointers',
    'contents',
    'objects',
    'areas',
    'rings',
    'threads',
    'states',
    'settings',
    'counters',
    'files',
  ]),
  open: openPuppetWorld,
};
