/**
 * The rules of the steps that processes do.
 */

import { MADV, NODE_ID_MAX, UID_MAX } from '../../core/uapi.ts';
import {
  ACCESS,
  BY,
  integer,
  MAPPING,
  NAME,
  NEW_NAME,
  NODE_LIST,
  oneOf,
  optionalMember,
  PAGE_MAX,
  PAGES,
  PART,
  PLACE,
  POLICY,
  requiredMember,
  type StepTable,
} from './members.ts';

const ONE_PLACE = { members: ['cpu', 'node'], min: 0, max: 1 } as const;

export const PROCESS_STEPS: StepTable<'process' | 'thread' | 'fork' | 'exit' | 'setAffinity'> = {
  process: {
    says: 'a process begins',
    members: {
      name: NEW_NAME,
      uid: optionalMember(integer(0, UID_MAX), 'its user; default 0, root'),
      capabilities: optionalMember(
        { kind: 'words', words: ['CAP_SYS_NICE', 'CAP_SYS_PTRACE'] },
        'default both for root, none for others',
      ),
      ...PLACE,
    },
    choice: ONE_PLACE,
  },
  thread: {
    says: 'a further thread of a process',
    members: { name: NEW_NAME, ...BY, ...PLACE },
    choice: ONE_PLACE,
  },
  fork: { says: 'a child with a copy of the memory', members: { name: NEW_NAME, ...BY } },
  exit: { says: 'the process ends', members: BY },
  setAffinity: {
    says: 'the thread runs on another CPU',
    members: { ...BY, ...PLACE },
    choice: { members: ['cpu', 'node'], min: 1, max: 1 },
  },
};

export const MEMORY_STEPS: StepTable<
  'map' | 'unmap' | 'touch' | 'keepTouching' | 'store' | 'madvise'
> = {
  map: {
    says: 'new memory, of which no page is touched',
    members: {
      name: NEW_NAME,
      ...BY,
      pageCount: optionalMember(integer(1, PAGE_MAX), 'its length in base pages'),
      lengthBytes: optionalMember(integer(1, 2 ** 36), 'its length in bytes'),
      shared: optionalMember({ kind: 'flag' }, 'MAP_SHARED; default private'),
      file: optionalMember(
        oneOf('memfd', 'sysv', 'hugetlb', 'tmpfs', 'ramfs', 'disk', 'secret'),
        'maps a new object of that kind; default anonymous memory',
      ),
      address: optionalMember(
        {
          kind: 'text',
          pattern: /^0x[0-9a-f]{1,12}$/,
          rule: 'must be an address: 0x7f0000000000',
        },
        'exactly there; default where the system likes',
      ),
    },
    choice: { members: ['pageCount', 'lengthBytes'], min: 1, max: 1 },
  },
  unmap: { says: 'the process gives pages up', members: { ...BY, ...PAGES } },
  touch: { says: 'accesses each page', members: { ...BY, ...PAGES, access: ACCESS } },
  keepTouching: {
    says: 'accesses all pages every 4 ms of logical time; balancing works meanwhile',
    members: {
      ...BY,
      ...PAGES,
      access: ACCESS,
      milliseconds: requiredMember(integer(1, 1e7), 'how long'),
    },
  },
  store: {
    says: 'writes a word at the beginning of a page',
    members: {
      ...BY,
      mapping: MAPPING,
      firstPage: PART.firstPage,
      value: requiredMember(integer(0), 'the word'),
    },
  },
  madvise: {
    says: 'advises the kernel on pages',
    members: {
      ...BY,
      ...PAGES,
      advice: requiredMember(oneOf(...Object.keys(MADV)), 'MADV_ and this'),
    },
  },
};

export const PLACEMENT_STEPS: StepTable<
  'setPolicy' | 'movePages' | 'migratePages' | 'pin' | 'unpin'
> = {
  setPolicy: {
    says: 'sets the policy of a range (mbind), or without one of the thread (set_mempolicy)',
    members: {
      ...BY,
      policy: requiredMember(POLICY, 'as numa_maps has it: bind:0-1'),
      mapping: optionalMember(NAME, 'a mapping by name; default the thread'),
      ...PART,
      move: optionalMember(
        oneOf('own', 'all'),
        'MPOL_MF_MOVE, MPOL_MF_MOVE_ALL; default pages stay',
      ),
      strict: optionalMember({ kind: 'flag' }, 'MPOL_MF_STRICT'),
    },
    needs: { firstPage: 'mapping', pageCount: 'mapping', move: 'mapping', strict: 'mapping' },
  },
  movePages: {
    says: 'moves pages to a node (move_pages)',
    members: {
      ...BY,
      ...PAGES,
      of: optionalMember(NAME, 'whose memory; default that of the caller'),
      to: optionalMember(integer(0, NODE_ID_MAX), 'default nowhere: asks where they are'),
      all: optionalMember({ kind: 'flag' }, 'also what others share: MPOL_MF_MOVE_ALL'),
    },
  },
  migratePages: {
    says: 'moves all memory of a process (migrate_pages)',
    members: {
      ...BY,
      of: optionalMember(NAME, 'whose memory; default that of the caller'),
      from: requiredMember(NODE_LIST, 'nodes whose pages move'),
      to: requiredMember(NODE_LIST, 'nodes that they move to'),
    },
  },
  pin: {
    says: 'takes references to pages, which keep them where they are',
    members: {
      ...BY,
      ...PAGES,
      name: optionalMember(NAME, 'a name for unpin'),
      how: optionalMember(
        oneOf('long-term', 'pipe'),
        'as io_uring and RDMA do, or as vmsplice does',
      ),
    },
  },
  unpin: { says: 'gives the references back', members: { pin: requiredMember(NAME, 'by name') } },
};
