// @ts-check
// What pending operations work on: a file, servers on the loopback interface and connections to
// them, opened once for many operations.

import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';

/** What the file holds and the servers send: no buffer of a test has it. */
export const FOREIGN_BYTE = 0xee;
export const FOREIGN_LENGTH = 256 * 1024;

const LOOPBACK = '127.0.0.1';
// A shared key spares a certificate; TLS 1.3 has no ciphers for it in Node.
/** @type {tls.SecureContextOptions} */
const tlsOptions = { ciphers: 'PSK', maxVersion: 'TLSv1.2' };
const sharedKey = Buffer.alloc(32, 7);

/** @typedef {Awaited<ReturnType<typeof openContext>>} Context */

/** @param {import('../../../lib/native-backend/addon.ts').Addon} addon */
export async function openContext(addon) {
  const folder = mkdtempSync(join(tmpdir(), 'node-numa-pending-'));
  const path = join(folder, 'foreign');
  const foreign = Buffer.alloc(FOREIGN_LENGTH, FOREIGN_BYTE);
  writeFileSync(path, foreign);
  writeFileSync(join(folder, 'sink'), '');
  const sink = net.createServer((socket) => devour(socket));
  const source = net.createServer((socket) => devour(socket).end(foreign));
  const secureSink = tls.createServer({ ...tlsOptions, pskCallback: () => sharedKey });
  secureSink.on('secureConnection', devour);
  const web = http.createServer(answer);
  const web2 = http2.createServer();
  web2.on('stream', (stream) => devour(stream).respond({}, { endStream: true }));
  const servers = [sink, source, secureSink, web, web2];
  await Promise.all(servers.map((server) => once(server.listen(0, LOOPBACK), 'listening')));
  const [sinkPort, sourcePort, securePort, webPort, web2Port] = servers.map(portOf);

  const socket = net.connect(Number(sinkPort), LOOPBACK);
  const secure = tls.connect({
    ...tlsOptions,
    ...{ port: Number(securePort), host: LOOPBACK, checkServerIdentity: () => undefined },
    pskCallback: () => ({ psk: sharedKey, identity: 'test' }),
  });
  const session = http2.connect(`http://${LOOPBACK}:${web2Port}`);
  const datagrams = dgram.createSocket('udp4');
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await Promise.all([once(socket, 'connect'), once(secure, 'secureConnect')]);
  await new Promise((resolve) => datagrams.bind(0, LOOPBACK, () => resolve(undefined)));

  const agent = new http.Agent({ keepAlive: true });
  const webAddress = { host: LOOPBACK, port: Number(webPort), agent };
  /** @type {WeakMap<ArrayBuffer, import('../../../lib/backend/mapping.ts').Mapping>} */
  const mappings = new WeakMap();
  return {
    /** Of buffers that the addon itself has made for operations. */
    mappings,
    addon,
    ...{ folder, path, servers, agent, webAddress, sourcePort: Number(sourcePort) },
    ...{ socket, secure, session, datagrams, child, url: `http://${LOOPBACK}:${webPort}/` },
    /** Of the foreign file, for reading. */
    descriptor: openSync(path, 'r'),
    sinkDescriptor: openSync(join(folder, 'sink'), 'w'),
    reader: await open(path, 'r'),
    writer: await open(join(folder, 'sink'), 'w'),
  };
}

/** @param {Context} context */
export async function closeContext(context) {
  context.socket.destroy();
  context.secure.destroy();
  context.session.destroy();
  context.datagrams.close();
  context.child.stdin.destroy();
  context.agent.destroy();
  for (const server of context.servers) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
  closeSync(context.descriptor);
  closeSync(context.sinkDescriptor);
  await context.reader.close();
  await context.writer.close();
  if (context.child.exitCode === null) await once(context.child, 'close');
  rmSync(context.folder, { recursive: true });
}

/**
 * Reads what comes and forgets it; broken connections are part of the game.
 * @template {import('node:stream').Duplex} Stream
 * @param {Stream} stream
 * @returns {Stream}
 */
function devour(stream) {
  return stream.on('error', () => {}).resume();
}

/** @type {http.RequestListener} */
function answer(request, response) {
  request.on('error', () => {}).resume();
  request.on('end', () => response.end('done'));
}

/** @param {net.Server} server */
function portOf(server) {
  return /** @type {net.AddressInfo} */ (server.address()).port;
}

/**
 * The end of an operation with a callback; an error is a value.
 * @param {(done: (...answer: any[]) => void) => void} start
 * @returns {Promise<unknown>}
 */
export function called(start) {
  return new Promise((resolve) => start((...answer) => resolve(answer)));
}

/**
 * The end of a stream's work: finished, closed, or broken.
 * @param {import('node:stream').Stream} stream
 * @returns {Promise<unknown>}
 */
export function ended(stream) {
  return new Promise((resolve) => {
    for (const event of ['finish', 'close', 'error']) stream.on(event, resolve);
  });
}
