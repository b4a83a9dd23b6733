import { isIP } from 'node:net';

const loopbackNames = ['localhost', '127.0.0.1', '::1'];

/** Whether only this machine can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return loopbackNames.includes(host) || (isIP(host) === 4 && host.startsWith('127.'));
}
