/**
 * Makes the machine of the egress tests in the network namespace that it was started in, wires it to
 * an Internet, and runs `visit-internet.ts` there, once as each user among its arguments, `own` being
 * the one that it runs as. Writes a line for each.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { addresses, link } from './addresses.ts';

const script = (name: string): string[] => [...process.execArgv, join(import.meta.dirname, name)];
const ip = (...words: string[]): Buffer => execFileSync('ip', words);

const internet = spawn('unshare', ['--net', process.execPath, ...script('internet.ts')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
await once(internet.stdout, 'data');
ip('link', 'set', 'lo', 'up');
ip('address', 'add', `${addresses.own}/32`, 'dev', 'lo');
ip('link', 'add', 'host0', 'type', 'veth', 'peer', 'name', 'net0', 'netns', String(internet.pid));
ip('address', 'add', `${link.server4}/30`, 'dev', 'host0');
ip('address', 'add', `${link.server6}/64`, 'dev', 'host0', 'nodad');
ip('link', 'set', 'host0', 'up');
internet.stdin.write('wired\n');
await once(internet.stdout, 'data');
ip('route', 'add', 'default', 'via', link.internet4);
ip('-6', 'route', 'add', 'default', 'via', link.internet6);

const outcomes: unknown[] = [];
for (const user of process.argv.slice(2)) {
  const id = Number(user);
  const visit = spawn(process.execPath, script('visit-internet.ts'), {
    stdio: ['ignore', 'inherit', 'inherit'],
    ...(user === 'own' ? {} : { uid: id, gid: id }),
  });
  outcomes.push(...(await once(visit, 'exit')).slice(0, 1));
}
internet.stdin.end();
await once(internet, 'exit');
process.exit(outcomes.every((code) => code === 0) ? 0 : 1);
