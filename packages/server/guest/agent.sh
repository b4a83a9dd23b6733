# The agent: the first program of a sandbox. A POSIX shell (dash, bash or busybox) reads this from its
# standard input, and after it one call per line from the server. The server quotes every argument.
#
# It reports on fd 3, and for each job on a FIFO of that job. The server makes the FIFOs, opens its
# ends before it calls, and shows them here read-only, so nothing inside can replace one. What the
# agent says is checked by the server as if an attacker had said it.
#
# `command` in front of `exec` and `eval` takes away their right to end the shell when they fail, as
# they do when the sandbox has no process to spare.

# Its variables begin with _agent_, so that none is taken for one of a program.

_agent_io=/.sandbox/io

# configure SETSID ENV OPTION SHELL: absolute paths of three programs, and the option by which this env
# undoes that a shell ignores SIGINT and SIGQUIT for its background jobs; empty where it has none.
configure() {
  _agent_setsid=$1
  _agent_env=$2
  _agent_reset=$3
  _agent_shell=$4
}

# has_program NAME: what execvp would find. `command -v` would also find what only a shell has.
has_program() {
  case $1 in
    '') return 1 ;;
    */*) [ -f "$1" ] && [ -x "$1" ]; return ;;
  esac
  IFS=:
  set -f
  for _agent_directory in $PATH; do
    _agent_file=${_agent_directory:-.}/$1
    if [ -f "$_agent_file" ] && [ -x "$_agent_file" ]; then return 0; fi
  done
  return 1
}

# job ID OPTIONS DIRECTORY PROGRAM COUNT VARIABLE... WORD...: starts a program in the background.
# OPTIONS holds an i for a standard input and a c for a control stream on fd 3. A program leads a
# session of its own, and does not ignore SIGINT and SIGQUIT, as a shell's background job would: s
# has `setsid` care for the one and e has `env` for the other, each an exec that a program which does
# it by itself can save. m moves the input to fd 9, where /dev/null takes its place, and adds copies
# of the output streams as fd 8 and 7. r reports the start from within the program's process, when no
# signal sent to it can be lost any more; v has `env` read the first WORDs as variables. COUNT says how many assignments of VARIABLEs follow. The WORDs
# are what is run, with PROGRAM in it.
job() {
  command exec 4>"$_agent_io/$1.status" || return
  command eval 'run_job "$@" &'
  exec 4>&-
}

# Runs in a subshell that lives as long as the program. Its end of the status FIFO closes when it is
# gone, however it went, so a job cannot be lost.
run_job() {
  exec 1>"$_agent_io/$1.out" 2>"$_agent_io/$1.err" 3>&-
  case $2 in *i*) exec 5<"$_agent_io/$1.in" ;; *) exec 5</dev/null ;; esac
  case $2 in *c*) exec 3>"$_agent_io/$1.control" ;; esac
  _agent_options=$2
  _agent_directory=$3
  _agent_program=$4
  _agent_count=$5
  shift 5
  while [ "$_agent_count" -gt 0 ]; do
    export "$1"
    shift
    _agent_count=$((_agent_count - 1))
  done
  cd -- "$_agent_directory" 2>/dev/null || { echo nodirectory >&4; return; }
  unset OLDPWD
  has_program "$_agent_program" || { echo missing >&4; return; }
  # A program that is short of memory goes before the agent does.
  { echo 500 >/proc/self/oom_score_adj; } 2>/dev/null
  case $_agent_options in *v*) set -- "$_agent_env" -- "$@" ;; esac
  case $_agent_options in
    *r*) set -- "$_agent_shell" -c 'echo "pid $$" >&4; exec 4>&- "$@"' sh "$@" ;;
  esac
  case $_agent_options in *e*) set -- "$_agent_env" ${_agent_reset:+"$_agent_reset"} -- "$@" ;; esac
  case $_agent_options in *s*) set -- "$_agent_setsid" "$@" ;; esac
  case $_agent_options in
    *m*) "$@" 9<&5 8>&1 7>&2 </dev/null 4>&- 5<&- & ;;
    *r*) "$@" <&5 5<&- & ;;
    *) "$@" <&5 4>&- 5<&- & ;;
  esac
  exec 1>/dev/null 2>/dev/null 3>&- 5<&-
  case $_agent_options in *r*) ;; *) echo "pid $!" >&4 ;; esac
  wait "$!"
  echo "exit $?" >&4
}

# signal NAME PID: to one process.
signal() { kill -s "$1" "$2"; }

# signal_group NAME PID: to a process group, or to its leader while that has not made the group yet.
signal_group() { kill -s "$1" -- "-$2" || kill -s "$1" "$2"; }

# Everything but the first process and this shell, in one step that no fork can slip through. What was
# killed counts as a process until it is gone: where there were as many as there may be, no program can
# start before that.
kill_all() {
  kill -s KILL -- -1
  _agent_count=10000
  while set -- /proc/[0-9]*; [ "$#" -gt 2 ] && [ "$_agent_count" -gt 0 ]; do
    _agent_count=$((_agent_count - 1))
  done
}

# provide FILE TEXT: makes a file unless it is there.
provide() { [ -e "$1" ] || printf '%s' "$2" >"$1"; }

exec 2>/dev/null
