export interface CallGroup {
  readonly purpose: string;
  readonly reason: string;
  /** Names as in the number tables, separated by white space; see `callNames`. */
  readonly calls: string;
}

/** The group's calls, one by one. */
export function callNames(group: CallGroup): readonly string[] {
  return group.calls.trim().split(/\s+/);
}

/**
 * Calls that pass whatever their arguments are. A call is here when ordinary programs need it and
 * the kernel's own checks (no capabilities, own namespaces, no new privileges) bound what it does.
 */
export const allowedCalls: readonly CallGroup[] = [
  {
    purpose: 'Reading and writing descriptors',
    reason: 'Works on what is open already.',
    calls: `
      read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close
      close_range dup dup2 dup3 fcntl flock fsync fdatasync sync syncfs sync_file_range sendfile
      splice tee vmsplice copy_file_range readahead fadvise64 cachestat pipe pipe2`,
  },
  {
    purpose: 'Opening, naming and describing files',
    reason: 'The mount namespace and file permissions decide what can be reached.',
    calls: `
      open openat openat2 creat access faccessat faccessat2 stat lstat fstat newfstatat statx
      statfs fstatfs getdents getdents64 getcwd chdir fchdir readlink readlinkat rename renameat
      renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir umask truncate
      ftruncate fallocate file_getattr file_setattr utime utimes futimesat utimensat`,
  },
  {
    purpose: 'Owners, modes and extended attributes',
    reason: 'Archivers and package installers set them; without capabilities only on own files.',
    calls: `
      chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat setxattr lsetxattr fsetxattr
      setxattrat getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr
      listxattrat removexattr lremovexattr fremovexattr removexattrat`,
  },
  {
    purpose: 'Named pipes',
    reason: 'mkfifo is mknod; device nodes need CAP_MKNOD, which no sandbox has.',
    calls: 'mknod mknodat',
  },
  {
    purpose: 'Waiting for events',
    reason: 'Event loops of every runtime.',
    calls: `
      select pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
      epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime
      timerfd_gettime inotify_init inotify_init1 inotify_add_watch inotify_rm_watch`,
  },
  {
    purpose: 'Asynchronous I/O of the older kind',
    reason: 'Databases use it; unlike io_uring it starts no work outside the calling process.',
    calls: 'io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents',
  },
  {
    purpose: 'Memory',
    reason: 'Own address space only; the memory limit bounds it.',
    calls: `
      brk mmap munmap mremap mprotect madvise msync mincore mlock mlock2 mlockall munlock
      munlockall mseal remap_file_pages pkey_alloc pkey_free pkey_mprotect memfd_create
      memfd_secret map_shadow_stack membarrier`,
  },
  {
    purpose: 'Processes and threads',
    reason: 'Starting, waiting and ending; the process limit bounds it. clone is a checked call.',
    calls: `
      fork vfork execve execveat exit exit_group wait4 waitid set_tid_address set_robust_list
      get_robust_list rseq gettid arch_prctl set_thread_area get_thread_area prctl restart_syscall
      pidfd_open pidfd_send_signal process_mrelease getpid getppid futex futex_waitv futex_wake
      futex_wait futex_requeue uretprobe uprobe`,
  },
  {
    purpose: 'Signals',
    reason: 'Only processes of the same sandbox can be seen and signalled.',
    calls: `
      kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait
      rt_sigqueueinfo rt_tgsigqueueinfo rt_sigsuspend sigaltstack pause`,
  },
  {
    purpose: 'Identity, groups and sessions',
    reason: 'Reading is harmless; setting cannot gain anything without capabilities.',
    calls: `
      getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid
      setresuid setresgid setgroups setfsuid setfsgid capget capset getpgid setpgid getpgrp getsid
      setsid`,
  },
  {
    purpose: 'Limits, scheduling and accounting',
    reason: 'A process may lower its own; raising needs capabilities.',
    calls: `
      getrlimit setrlimit prlimit64 getrusage times sysinfo uname getpriority setpriority
      ioprio_get ioprio_set sched_yield sched_getaffinity sched_setaffinity sched_getparam
      sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max
      sched_get_priority_min sched_rr_get_interval sched_getattr sched_setattr getcpu`,
  },
  {
    purpose: 'Time and timers',
    reason: 'Reading clocks and setting own timers.',
    calls: `
      time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep alarm getitimer
      setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete`,
  },
  {
    purpose: 'Using sockets',
    reason: 'socket and socketpair are checked calls; what they refuse cannot be used here.',
    calls: `
      bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
      sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg`,
  },
  {
    purpose: 'System V and POSIX message queues, semaphores and shared memory',
    reason: 'The sandbox has an IPC namespace of its own.',
    calls: `
      shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open
      mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr`,
  },
  {
    purpose: 'Random numbers',
    reason: 'Needed at the start of every runtime.',
    calls: 'getrandom',
  },
  {
    purpose: 'Giving up more rights',
    reason: 'A program may sandbox itself further; filters and rulesets only ever narrow.',
    calls: 'seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self',
  },
];
