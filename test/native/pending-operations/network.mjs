// @ts-check
// Sockets of all kinds, on the loopback interface, and the pipe to a child.

import http from 'node:http';
import net from 'node:net';
import { called, ended } from './context.mjs';

/** The largest datagram that is sent as one. */
const DATAGRAM_MAX = 8192;

/** @type {readonly import('../pending-operations.mjs').PendingOperation[]} */
export const pendingNetworkOperations = [
  {
    name: 'net.Socket.write',
    start: (bytes, { socket }) => called((done) => socket.write(bytes, done)),
  },
  {
    name: 'net.Socket.write, several',
    start: (bytes, { socket }) => {
      socket.cork();
      socket.write(bytes.subarray(1));
      const written = called((done) => socket.write(bytes, done));
      socket.uncork();
      return written;
    },
  },
  {
    name: "net.Socket, to its reader's buffer",
    start: (bytes, { sourcePort }) => {
      const onread = { buffer: bytes, callback: () => true };
      // The types of older Nodes do not know that a connection takes it, too.
      const options = { port: sourcePort, host: '127.0.0.1', onread };
      return ended(net.connect(/** @type {net.NetConnectOpts} */ (options)));
    },
  },
  {
    name: 'tls.TLSSocket.write',
    start: (bytes, { secure }) => called((done) => secure.write(bytes, done)),
  },
  {
    name: 'dgram.Socket.send',
    start: (bytes, { datagrams }) => {
      const { port } = datagrams.address();
      const part = bytes.subarray(0, DATAGRAM_MAX);
      return called((done) => datagrams.send(part, port, '127.0.0.1', done));
    },
  },
  {
    name: 'http.ClientRequest.end',
    start: (bytes, { webAddress }) => {
      const request = http.request({ ...webAddress, method: 'POST' });
      const answered = new Promise((resolve) => {
        request.on('error', resolve);
        // The server waits for as many bytes as were announced.
        request.on('socket', () => setTimeout(() => request.destroy(), 20));
        request.on('response', (response) => response.on('close', resolve).resume());
      });
      // A Buffer already: this waits for a connection, and would make one of a view without memory.
      request.end(Buffer.from(bytes.buffer));
      return answered;
    },
  },
  {
    name: 'http.ServerResponse.end',
    releasesItself: true,
    start: (bytes, _context, release) => {
      const server = http.createServer((_request, response) => {
        // Asked so late that its time is over: of a view without memory no Buffer can be made.
        if (bytes.length > 0) response.end(bytes);
        else response.end();
        release();
      });
      return new Promise((resolve) => {
        server.listen(0, '127.0.0.1', () => {
          const { port } = /** @type {net.AddressInfo} */ (server.address());
          const request = http.get({ port, host: '127.0.0.1' });
          request.on('response', (response) => response.resume());
          request.on('error', () => {});
          request.on('close', () => server.close(resolve));
        });
      });
    },
  },
  {
    name: 'http2.ClientHttp2Stream.end',
    start: (bytes, { session }) => {
      const stream = session.request({ ':method': 'POST' });
      stream.on('error', () => {});
      stream.resume();
      stream.end(bytes);
      return new Promise((resolve) => stream.on('close', resolve));
    },
  },
  {
    name: 'fetch',
    start: async (bytes, { url }) => {
      const response = await fetch(url, { method: 'POST', body: bytes });
      return response.text();
    },
  },
  {
    name: "a child's stdin",
    start: (bytes, { child }) => called((done) => child.stdin.write(bytes, done)),
  },
];
