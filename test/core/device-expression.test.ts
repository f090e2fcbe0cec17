/** Devices in the place of nodes, as text: what is a name of one, and what never becomes a path. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEVICE_KINDS, parseDevice } from '../../lib/core/device-expression.ts';
import { bind, NodeMask } from '../../lib/index.ts';
import { thrownBy } from './thrown.ts';

describe('the text of a device', () => {
  test.each([
    ['netdev:eth0', 'netdev', 'eth0'],
    ['netdev:wlp3s0.100', 'netdev', 'wlp3s0.100'],
    ['block:nvme0n1p2', 'block', 'nvme0n1p2'],
    ['block:cciss!c0d0', 'block', 'cciss!c0d0'],
    ['pci:0:0.0', 'pci', '0000:00:00.0'],
    ['pci:3B:1f.7', 'pci', '0000:3b:1f.7'],
    ['pci:10000:e1:00.0', 'pci', '10000:e1:00.0'],
    ['file:.', 'file', '.'],
    ['file:/with: blanks', 'file', '/with: blanks'],
    ['ip:10.0.0.7', 'ip', '10.0.0.7'],
    ['ip:fe80::1%eth0', 'ip', 'fe80::1%eth0'],
  ])('%s is read', (text, kind, name) => {
    expect(parseDevice(text, 'nodes')).toEqual({ kind, name });
  });

  test.each(['0-3', 'all', '', 'eth0', 'gpu:0', 'NETDEV:eth0', ' netdev:eth0'])(
    '%j is none',
    (text) => expect(parseDevice(text, 'nodes')).toBeNull(),
  );

  test.each([
    ...['netdev:', 'netdev:..', 'netdev:.', 'netdev:a/b', 'netdev:../../kernel', 'netdev:a b'],
    ...[
      'netdev:sixteen-letters-',
      'netdev:a:b',
      'netdev:e\0',
      'block:',
      'block:..',
      'block:/dev/sda',
    ],
    ...['block:a/../b', 'pci:', 'pci:0', 'pci:0:0', 'pci:0:0.8', 'pci:0:0.0/..', 'pci:g:0.0'],
    ...['pci:1:2:3:4.0', 'file:', 'file:a\0b', 'ip:', 'ip:host', 'ip:10.0.0.1/8', 'ip:::1%../x'],
  ])('%j is refused', (text) => {
    const { code, message } = thrownBy(() => parseDevice(text, 'options.to'));
    expect([code, message]).toEqual([
      'ERR_INVALID_ARG_VALUE',
      expect.stringContaining('"options.to" argument'),
    ]);
  });

  test('whatever it is, names no folder outside of the one for its kind', () => {
    const kinds = fc.constantFrom(...DEVICE_KINDS.filter((kind) => kind !== 'file'));
    fc.assert(
      fc.property(kinds, fc.string({ unit: 'binary' }), (kind, name) => {
        let device: ReturnType<typeof parseDevice> = null;
        try {
          device = parseDevice(`${kind}:${name}`, 'nodes');
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
          return;
        }
        expect(device?.name).not.toMatch(/[/\0]|^\.\.?$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a device where nodes are taken', () => {
  test('is kept in a policy until a machine gives it a meaning', () => {
    expect(`${bind('netdev:eth0')} ${bind('!block:sda')}`).toBe('bind:netdev:eth0 bind:!block:sda');
  });

  test.each(['netdev:eth0', '!pci:0:0.0'])('%s needs a machine in a mask', (text) => {
    const { message } = thrownBy(() => NodeMask.parse(text, { allowed: NodeMask.of(0) }));
    expect(message).toContain('names a device: let a Numa resolve it');
  });

  test('has no place among the allowed nodes', () => {
    expect(thrownBy(() => bind('+netdev:eth0')).message).toContain(
      'cannot have "+" before a device',
    );
  });
});
