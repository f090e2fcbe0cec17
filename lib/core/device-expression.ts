/**
 * Devices in the place of nodes: "netdev:eth0", "block:sda", "pci:0000:3b:00.0", "file:/data",
 * "ip:10.0.0.7" mean the nodes that the device is near to.
 *
 * Source: numactl(8) and numa_parse_nodestring of numa(3), whose words these are. Names are held to
 * what the kernel can have as a name before any path is made of them.
 */

import { invalidArgumentValue } from './argument-errors.ts';

/** The words for them. */
export const DEVICE_KINDS = ['netdev', 'block', 'pci', 'file', 'ip'] as const;

export type DeviceKind = (typeof DEVICE_KINDS)[number];

export interface DeviceName {
  readonly kind: DeviceKind;
  /** As the kernel writes it: a PCI address has all of its digits. */
  readonly name: string;
}

interface KindRow {
  readonly pattern: RegExp;
  readonly rule: string;
}

const ROWS: Readonly<Record<DeviceKind, KindRow>> = {
  // IFNAMSIZ less the end; dev_valid_name().
  netdev: {
    pattern: /^(?!\.\.?$)[^/:\s\0]{1,15}$/,
    rule: 'must name a network device, such as eth0',
  },
  block: {
    pattern: /^(?!\.\.?$)[^/\s\0]{1,32}$/,
    rule: 'must name a block device without its folder, such as sda',
  },
  pci: {
    pattern: /^(?:[\da-f]{1,8}:)?[\da-f]{1,2}:[\da-f]{1,2}\.[0-7]$/i,
    rule: 'must be a PCI address, such as 0000:3b:00.0',
  },
  // PATH_MAX less the end.
  file: { pattern: /^[^\0]{1,4095}$/, rule: 'must be the path of a file' },
  ip: {
    pattern: /^[\da-f.:]{2,45}(?:%[^/:\s\0]{1,15})?$/i,
    rule: 'must be an address, such as 10.0.0.7',
  },
};

/**
 * The device of a text; `null` for a text that begins with no word for one.
 * @throws TypeError ERR_INVALID_ARG_VALUE for what cannot be a name of such a device
 */
export function parseDevice(text: string, argument: string): DeviceName | null {
  const colon = text.indexOf(':');
  const kind = DEVICE_KINDS.find((word) => word === text.slice(0, colon));
  if (colon < 0 || kind === undefined) return null;
  const name = text.slice(colon + 1);
  const { pattern, rule } = ROWS[kind];
  if (!pattern.test(name)) throw invalidArgumentValue(argument, `${rule} after "${kind}:"`, text);
  return { kind, name: kind === 'pci' ? pciAddress(name) : name };
}

/** Source: drivers/pci/probe.c, pci_setup_device(): "%04x:%02x:%02x.%d". */
function pciAddress(name: string): string {
  const parts = name.toLowerCase().split(/[:.]/);
  const [domain, bus, slot, pin] = parts.length === 4 ? parts : ['0', ...parts];
  const digits = (part = '', count = 2): string => part.replace(/^0+/, '').padStart(count, '0');
  return `${digits(domain, 4)}:${digits(bus)}:${digits(slot)}.${pin}`;
}
