// @ts-check
// Cryptography that runs on the pool.

import crypto from 'node:crypto';
import { called, ended } from './context.mjs';

const { subtle } = crypto.webcrypto;
const { privateKey } = crypto.generateKeyPairSync('ed25519');
const aesKey = subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
const salt = new Uint8Array(16);

/** @type {readonly import('../pending-operations.mjs').PendingOperation[]} */
export const pendingCryptography = [
  { name: 'crypto.randomFill', start: (bytes) => called((done) => crypto.randomFill(bytes, done)) },
  {
    name: 'crypto.scrypt',
    start: (bytes) => called((done) => crypto.scrypt(bytes, salt, 32, { N: 16 }, done)),
  },
  {
    name: 'crypto.scrypt, the salt',
    start: (bytes) => called((done) => crypto.scrypt('word', bytes, 32, { N: 16 }, done)),
  },
  {
    name: 'crypto.pbkdf2',
    start: (bytes) => called((done) => crypto.pbkdf2(bytes, salt, 10, 32, 'sha256', done)),
  },
  {
    name: 'crypto.hkdf',
    start: (bytes) => called((done) => crypto.hkdf('sha256', bytes, salt, salt, 32, done)),
  },
  {
    name: 'crypto.sign',
    start: (bytes) => called((done) => crypto.sign(null, bytes, privateKey, done)),
  },
  { name: 'subtle.digest', start: (bytes) => subtle.digest('SHA-256', bytes) },
  {
    name: 'subtle.encrypt',
    start: async (bytes) => {
      const key = await aesKey;
      return subtle.encrypt({ name: 'AES-GCM', iv: salt }, key, bytes);
    },
  },
  {
    name: 'a Hash as a stream',
    start: (bytes) => {
      const hash = crypto.createHash('sha256');
      hash.resume();
      hash.end(bytes);
      return ended(hash);
    },
  },
  {
    name: 'a Cipher as a stream',
    start: (bytes) => {
      const cipher = crypto.createCipheriv('aes-128-ctr', salt, salt);
      cipher.resume();
      cipher.end(bytes);
      return ended(cipher);
    },
  },
];
