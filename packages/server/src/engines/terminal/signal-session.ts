import type { ProcessSignal } from '@sandgate/core';

/**
 * `$1` is the process that leads the session, `$2` the signal's name. In `/proc/PID/stat`, after the
 * name in brackets, come the state, the parent, the group, the session, the terminal, and the
 * terminal's foreground group (proc(5)).
 */
const fields = `
fields() {
  _stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  set -f
  set -- \${_stat##*) }
  set +f
  session=$4 foreground=$6
}
fields "$1" || exit 0
`;

const toForeground = `${fields}
[ "$foreground" -gt 1 ] && kill -s "$2" -- "-$foreground"
`;

/** Everything in the session, until nothing is left: a fork can slip through one round. */
const endSession = `${fields}
leader=$1
each() {
  found=
  for _process in /proc/[0-9]*; do
    _process=\${_process#/proc/}
    fields "$_process" && [ "$session" = "$leader" ] || continue
    found=yes
    for _name in "$@"; do kill -s "$_name" "$_process"; done
  done
}
if [ "$2" = HUP ]; then
  each HUP CONT
  for _tenth in 1 2 3 4 5 6 7 8 9 10; do
    [ -d "/proc/$leader" ] || break
    sleep 0.1
  done
fi
for _round in 1 2 3 4 5; do
  each KILL
  [ -n "$found" ] || break
  sleep 0.02
done
`;

/** A line of shell that sends a signal to what runs on a terminal. */
export function signalSession(leader: number, signal: ProcessSignal): readonly string[] {
  const ends = signal === 'SIGKILL' || signal === 'SIGHUP';
  const script = ends ? endSession : toForeground;
  return ['/bin/sh', '-c', script, 'sh', String(leader), signal.slice('SIG'.length)];
}
