# Builds the addon where a package of it was installed: `npx node-gyp rebuild -C native` in the
# package's folder. A binding.gyp in that folder itself is compiled by package managers unasked.
{
  'includes': ['addon.gypi'],
  'targets': [
    {
      # Where the loader looks first.
      'target_name': 'place',
      'type': 'none',
      'conditions': [
        ['OS=="linux"', {
          'dependencies': ['node_numa'],
          'copies': [
            { 'destination': '../build/Release', 'files': ['<(PRODUCT_DIR)/node_numa.node'] },
          ],
        }],
      ],
    },
  ],
}
