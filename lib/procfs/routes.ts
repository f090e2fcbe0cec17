/**
 * Which network device an address is reached by: the routing tables that /proc/net shows.
 *
 * Source: net/ipv4/fib_trie.c, fib_route_seq_show(), fib_trie_seq_show(); net/ipv6/route.c,
 * rt6_info_route(). Only the main table is shown for IPv4: rules of policy routing are not
 * followed.
 */

import { BlockList, isIPv6 } from 'node:net';

/** Names of files that have them. */
export const ROUTE_FILES = {
  ipv4: '/proc/net/route',
  /** Lists the host's own addresses, which the former does not. */
  ipv4Own: '/proc/net/fib_trie',
  ipv6: '/proc/net/ipv6_route',
} as const;

const RTF_UP = 0x1;
const RTF_REJECT = 0x200;
const LOOPBACK = 'lo';

interface Route {
  readonly device: string;
  readonly network: string;
  readonly prefixBits: number;
  readonly metric: number;
}

/**
 * The device that a packet for an address leaves by; `null` where there is no way.
 * @param own text of fib_trie; a host's own addresses are reached by its loopback device
 */
export function deviceOfAddress(
  address: string,
  { routes, own }: { readonly routes: string; readonly own: string },
): string | null {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (family === 'ipv4' && (address.startsWith('127.') || isOwn(address, own))) return LOOPBACK;
  const parse = family === 'ipv4' ? parseIpv4Route : parseIpv6Route;
  const matching = routes.split('\n').flatMap((line) => {
    const route = parse(line.trim().split(/\s+/));
    return route !== null && isWithin(address, route, family) ? [route] : [];
  });
  matching.sort((a, b) => b.prefixBits - a.prefixBits || a.metric - b.metric);
  return matching[0]?.device ?? null;
}

function isOwn(address: string, trie: string): boolean {
  const local = /^\s*\|-- ([\d.]+)\n\s*\/32 host LOCAL$/gm;
  return [...trie.matchAll(local)].some(([, own]) => own === address);
}

function isWithin(
  address: string,
  { network, prefixBits }: Route,
  family: 'ipv4' | 'ipv6',
): boolean {
  const list = new BlockList();
  list.addSubnet(network, prefixBits, family);
  return list.check(address, family);
}

/** Iface Destination Gateway Flags RefCnt Use Metric Mask; words of the host, little-endian. */
function parseIpv4Route(fields: readonly string[]): Route | null {
  const [device = '', destination = '', , flags = '', , , metric = '', mask = ''] = fields;
  const isWord = [destination, mask].every((word) => /^[\dA-F]{8}$/i.test(word));
  if (!isWord || !isUsable(flags)) return null;
  const network = bytesOf(destination).reverse().join('.');
  const prefixBits = [...Number.parseInt(mask, 16).toString(2)].filter((bit) => bit === '1').length;
  return { device, network, prefixBits, metric: Number(metric) };
}

/** Destination and source with their lengths, next hop, metric, references, use, flags, device. */
function parseIpv6Route(fields: readonly string[]): Route | null {
  const [destination = '', length = '', , , , metric = '', , , flags = '', device = ''] = fields;
  const prefixBits = Number.parseInt(length, 16);
  if (!/^[\da-f]{32}$/i.test(destination) || !(prefixBits <= 128) || !isUsable(flags)) return null;
  const network = (destination.match(/.{4}/g) as string[]).join(':');
  return { device, network, prefixBits, metric: Number.parseInt(metric, 16) };
}

function isUsable(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & RTF_UP) !== 0 && (bits & RTF_REJECT) === 0;
}

function bytesOf(word: string): number[] {
  return (word.match(/../g) as string[]).map((byte) => Number.parseInt(byte, 16));
}
