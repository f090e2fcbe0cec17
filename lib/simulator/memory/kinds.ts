/**
 * The kinds of memory that objects hold, a row for each, with everything that one kind does
 * otherwise than another.
 *
 * Source: struct vm_operations_struct and struct address_space_operations: mm/shmem.c,
 * mm/filemap.c, fs/hugetlbfs/inode.c, mm/secretmem.c.
 */

export interface MemoryKind {
  /** Huge pages of a pool. Source: is_vm_hugetlb_page(). */
  readonly isHugetlb: boolean;
  /** Page cache of a file system, by the policy of the thread. */
  readonly isFile: boolean;
  /** Policies of its mappings are kept in the object. Source: vm_ops->set_policy. */
  readonly keepsPolicy: boolean;
  /** Each object begins its interleaving elsewhere. Source: shmem_get_pgoff_policy(). */
  readonly interleavesByInode: boolean;
  /** A fault finds or makes pages; else they were put in one by one. Source: vm_ops->fault. */
  readonly fills: boolean;
  /** A read fault maps neighbours, too. Source: vm_ops->map_pages. */
  readonly mapsAround: boolean;
  /** Pages come by write(2), too. */
  readonly canBeWritten: boolean;
  /** MADV_REMOVE takes pages out. Source: f_op->fallocate. */
  readonly takesHoles: boolean;
  /** What a write to a page does that is mapped for writing: the CPU notes it in the entry alone,
   *  the folio is dirty, or nothing follows. Source: vma_needs_dirty_tracking(). */
  readonly write: 'dirties entry' | 'dirties folio' | 'nothing';
  /** Calls reach its pages on a program's behalf. Source: check_vma_flags(). */
  readonly isReachable: boolean;
  /** On a list of its node: a driver's pages are on none. */
  readonly isOnList: boolean;
  /** On that of files: no swap device backs it. Source: folio_is_file_lru(). */
  readonly isOnFileList: boolean;
  /** What its pages count as, of a process and of a node. */
  readonly usage: 'file' | 'shared memory' | 'pool' | 'driver';
  /** As /proc/PID/maps has it. */
  readonly device: string;
  /** Why a page cannot move, whoever asks. Source: migrate_folio. */
  refusesMove(page: { readonly isDirty: boolean }): string | undefined;
}

/** What most kinds have. */
const ORDINARY = {
  isHugetlb: false,
  isFile: false,
  keepsPolicy: false,
  interleavesByInode: false,
  fills: true,
  mapsAround: false,
  canBeWritten: false,
  takesHoles: false,
  write: 'dirties folio',
  isReachable: true,
  isOnList: true,
  isOnFileList: false,
  usage: 'file',
  refusesMove: () => undefined,
} as const satisfies Omit<MemoryKind, 'device'>;

const PAGE_CACHE = {
  ...ORDINARY,
  isFile: true,
  mapsAround: true,
  canBeWritten: true,
  isOnFileList: true,
} as const satisfies Omit<MemoryKind, 'device'>;

/**
 * `shared-memory`: memfd, System V, tmpfs and MAP_SHARED without a file. `hugetlb`: the same, of a
 * pool's huge pages. `file`: page cache that is never written back; `disk`: page cache that is.
 * `driver`: pages that the kernel made. `secret`: memfd_secret, which the kernel itself cannot see.
 */
export type ObjectType = 'shared-memory' | 'hugetlb' | 'file' | 'disk' | 'driver' | 'secret';

export const MEMORY_KINDS: Readonly<Record<ObjectType, MemoryKind>> = {
  'shared-memory': {
    ...ORDINARY,
    keepsPolicy: true,
    interleavesByInode: true,
    mapsAround: true,
    canBeWritten: true,
    takesHoles: true,
    write: 'dirties entry',
    usage: 'shared memory',
    device: '00:01',
  },
  hugetlb: {
    ...ORDINARY,
    isHugetlb: true,
    takesHoles: true,
    usage: 'pool',
    device: '00:0f',
  },
  file: {
    ...PAGE_CACHE,
    device: '00:02',
    refusesMove: ({ isDirty }) =>
      isDirty ? 'EBUSY: its file system cannot move a dirty page' : undefined,
  },
  disk: { ...PAGE_CACHE, takesHoles: true, device: '00:03' },
  driver: {
    ...ORDINARY,
    fills: false,
    write: 'nothing',
    isOnList: false,
    usage: 'driver',
    device: '00:05',
  },
  secret: {
    ...ORDINARY,
    write: 'nothing',
    isReachable: false,
    isOnFileList: true,
    device: '00:10',
    refusesMove: () => 'EBUSY: secret memory cannot be copied',
  },
};
