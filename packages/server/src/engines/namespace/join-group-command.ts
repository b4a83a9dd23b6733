export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * Puts a shell before a command that joins control groups and then becomes the command, so that
 * nothing runs outside them. The kernel checks who opened `cgroup.procs`, not who writes to it.
 * @param fds numbers, in the new process, of the opened `cgroup.procs` files; below 10, since POSIX
 * shells take but one digit.
 */
export function joinGroupCommand(command: Command, fds: readonly number[]): Command {
  if (fds.length === 0) return command;
  if (fds.some((fd) => fd > 9)) throw new Error('too many control groups to join');
  const script = [
    ...fds.map((fd) => `echo 0 >&${fd} || exit 125`),
    `exec "$@"${fds.map((fd) => ` ${fd}>&-`).join('')}`,
  ].join('\n');
  return { file: '/bin/sh', args: ['-c', script, 'sh', command.file, ...command.args] };
}
