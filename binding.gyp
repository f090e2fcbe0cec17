{
  'variables': {
    'has_tests%': '<!(test -f test/native/pin_page.cc && echo 1 || echo 0)',
  },
  'target_defaults': {
    'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
    'defines': [
      'NAPI_VERSION=9',
      'NAPI_DISABLE_CPP_EXCEPTIONS',
      'NODE_ADDON_API_DISABLE_DEPRECATED',
      'NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS',
      'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    ],
    # Nothing here is hot but the kernel's own work. -Os needs a newer libstdc++ than Node.js does.
    'cflags!': ['-O3'],
    'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden', '-O2'],
    # Exceptions of the standard library only (memory has run out); none leaves the addon.
    'cflags_cc!': ['-std=gnu++14', '-std=gnu++20', '-fno-exceptions'],
    'cflags_cc': ['-std=c++17', '-fexceptions', '-fno-rtti'],
  },
  'targets': [
    {
      'target_name': 'node_numa',
      'conditions': [
        ['OS!="linux"', { 'type': 'none' }, {
          'sources': [
            'native/addon.cc',
            'native/uapi.cc',
            'native/libnuma_hooks.cc',
            'native/libnuma_path.cc',
            'native/support/old_libraries.cc',
            'native/support/arguments.cc',
            'native/support/values.cc',
            'native/support/address_range.cc',
            'native/support/file_watch.cc',
            'native/support/mapping.cc',
            'native/support/cpu_mask.cc',
            'native/support/thread_end.cc',
            'native/support/transfer.cc',
            'native/support/view.cc',
            'native/support/mapping_owner.cc',
            'native/support/private_memory.cc',
            'native/syscalls/mmap.cc',
            'native/syscalls/mremap.cc',
            'native/syscalls/munmap.cc',
            'native/syscalls/madvise.cc',
            'native/syscalls/msync.cc',
            'native/syscalls/fstat.cc',
            'native/syscalls/touch.cc',
            'native/syscalls/touch_view.cc',
            'native/syscalls/mbind.cc',
            'native/syscalls/set_mempolicy.cc',
            'native/syscalls/get_mempolicy.cc',
            'native/syscalls/set_mempolicy_home_node.cc',
            'native/syscalls/move_pages.cc',
            'native/syscalls/migrate_pages.cc',
            'native/syscalls/getcpu.cc',
            'native/syscalls/sched_affinity.cc',
            'native/syscalls/execve.cc',
            'native/syscalls/mincore.cc',
            'native/procfs/pagemap.cc',
            'native/copy/scratch.cc',
            'native/copy/page_copy.cc',
            'native/copy/copy_pages.cc',
          ],
          'libraries': ['-lnuma'],
          # A worker thread may be the addon's only user: the table of mappings must outlive it.
          'ldflags': ['-Wl,-z,nodelete'],
        }],
      ],
    },
  ],
  'conditions': [
    # Only in the repository: the package has no tests.
    ['OS=="linux" and has_tests==1', {
      'targets': [
        {
          'target_name': 'pin_page',
          'sources': ['test/native/pin_page.cc'],
        },
        {
          'target_name': 'refusals',
          'sources': ['test/native/refusals.cc'],
        },
      ],
    }],
  ],
}
