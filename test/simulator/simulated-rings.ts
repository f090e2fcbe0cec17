/** Rings of a simulated process. */

import type { Machine } from '../../lib/simulator/machine.ts';
import { unpinPages } from '../../lib/simulator/syscalls/pin-pages.ts';
import {
  mapPacketRing,
  registerBuffer,
  registerPackets,
} from '../../lib/simulator/syscalls/ring-calls.ts';
import type { Thread } from '../../lib/simulator/tasks/thread.ts';
import type { RingCalls } from '../contract/world.ts';

export function simulatedRings(machine: Machine, own: () => Thread): RingCalls {
  return {
    register: async (address, pageCount) => registerBuffer(own(), { address, pageCount }),
    unregister: async (ring) => unpinPages(own(), ring),
    registerPackets: async (address, pageCount) => registerPackets(own(), { address, pageCount }),
    packetRing: async (blockPages, blockCount) =>
      mapPacketRing(machine, own(), { blockPages, blockCount }),
  };
}
