# The repository's build: the addon, and what its tests need. A package builds by native/binding.gyp.
{
  'includes': ['native/addon.gypi'],
  'conditions': [
    ['OS=="linux"', {
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
