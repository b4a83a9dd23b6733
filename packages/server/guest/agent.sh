# The agent: the first program of a sandbox. A POSIX shell (dash, bash or busybox) reads this from its
# standard input, and after it one call per line from the server. The server quotes every argument.
#
# It reports on fd 3, and for each job on a FIFO of that job. The server makes the FIFOs, opens its
# ends before it calls, and shows them here read-only, so nothing inside can replace one. What the
# agent says is checked by the server as if an attacker had said it.
#
# `command` in front of `exec` and `eval` takes away their right to end the shell when they fail, as
# they do when the sandbox has no process to spare.

io=/.sandbox/io

# configure SETSID ENV: absolute paths of two programs, and whether this env can undo the ignoring
# of SIGINT and SIGQUIT that a shell imposes on its background jobs.
configure() {
  setsid=$1
  env=$2
  reset_signals=$3
}

# has_program NAME: what execvp would find. `command -v` would also find what only a shell has.
has_program() {
  case $1 in
    '') return 1 ;;
    */*) [ -f "$1" ] && [ -x "$1" ]; return ;;
  esac
  IFS=:
  set -f
  for directory in $PATH; do
    if [ -f "${directory:-.}/$1" ] && [ -x "${directory:-.}/$1" ]; then return 0; fi
  done
  return 1
}

# job ID STREAMS PATH DIRECTORY PROGRAM ENV_ARGUMENT...: starts a program in the background.
# STREAMS holds an i for a standard input and a c for a control stream on fd 3. PATH, when not
# empty, is where PROGRAM is looked for. ENV_ARGUMENTs are assignments, then the command.
job() {
  command exec 4>"$io/$1.status" || return
  command eval 'run_job "$@" &'
  exec 4>&-
}

# Runs in a subshell that lives as long as the program. Its end of the status FIFO closes when it is
# gone, however it went, so a job cannot be lost.
run_job() {
  id=$1
  streams=$2
  if [ -n "$3" ]; then PATH=$3; fi
  directory=$4
  program=$5
  shift 5
  exec 1>"$io/$id.out" 2>"$io/$id.err" 3>&-
  case $streams in *i*) exec 5<"$io/$id.in" ;; *) exec 5</dev/null ;; esac
  case $streams in *c*) exec 3>"$io/$id.control" ;; esac
  cd -- "$directory" 2>/dev/null || { echo nodirectory >&4; return; }
  unset OLDPWD
  has_program "$program" || { echo missing >&4; return; }
  # A program that is short of memory goes before the agent does.
  { echo 500 >/proc/self/oom_score_adj; } 2>/dev/null
  "$setsid" "$env" ${reset_signals:+"$reset_signals"} -- "$@" <&5 4>&- 5<&- &
  exec 1>/dev/null 2>/dev/null 3>&- 5<&-
  echo "pid $!" >&4
  wait "$!"
  echo "exit $?" >&4
}

# signal NAME PID: to one process.
signal() { kill -s "$1" "$2"; }

# signal_group NAME PID: to a process group, or to its leader while that has not made the group yet.
signal_group() { kill -s "$1" -- "-$2" || kill -s "$1" "$2"; }

# Everything but the first process and this shell, in one step that no fork can slip through.
kill_all() { kill -s KILL -- -1; }

# provide FILE TEXT: makes a file unless it is there.
provide() { [ -e "$1" ] || printf '%s' "$2" >"$1"; }

exec 2>/dev/null
