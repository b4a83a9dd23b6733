import type { CallGroup } from './allowed-calls.ts';

export interface RefusedGroup extends CallGroup {
  readonly verdict: 'EPERM' | 'ENOSYS';
}

/**
 * Every other call of the number tables, with the reason why it is not allowed. A call in no table
 * is refused as well; this list exists so that a new call is decided upon and not forgotten.
 */
export const refusedCalls: readonly RefusedGroup[] = [
  {
    purpose: 'Calls with an older equivalent that programs fall back to',
    reason:
      'clone3 keeps its flags in memory, where a filter cannot look. The rest describe mounts, ' +
      'namespaces and security modules.',
    verdict: 'ENOSYS',
    calls: 'clone3 statmount listmount listns lsm_get_self_attr lsm_set_self_attr lsm_list_modules',
  },
  {
    purpose: 'Namespaces',
    reason: 'A nested user namespace gives fake root and with it much more of the kernel.',
    verdict: 'EPERM',
    calls: 'unshare setns',
  },
  {
    purpose: 'Mounts and roots',
    reason: 'The view of the file system is fixed from outside.',
    verdict: 'EPERM',
    calls: `
      mount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen fsconfig fsmount
      fspick mount_setattr`,
  },
  {
    purpose: 'Files by handle',
    reason: 'A handle reaches files outside the mount namespace.',
    verdict: 'EPERM',
    calls: 'name_to_handle_at open_by_handle_at',
  },
  {
    purpose: 'Looking into other processes',
    reason: 'Debugging interfaces have led out of sandboxes before and defeat seccomp filters.',
    verdict: 'EPERM',
    calls: 'ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise',
  },
  {
    purpose: 'Programs and probes in the kernel',
    reason: 'The widest attack surface that there is.',
    verdict: 'EPERM',
    calls: 'bpf perf_event_open lookup_dcookie',
  },
  {
    purpose: 'io_uring',
    reason: 'Runs operations that no filter sees, with a long list of kernel bugs.',
    verdict: 'EPERM',
    calls: 'io_uring_setup io_uring_enter io_uring_register',
  },
  {
    purpose: 'Page faults in user space',
    reason: 'Holds the kernel still at a chosen instruction: a building block of exploits.',
    verdict: 'EPERM',
    calls: 'userfaultfd',
  },
  {
    purpose: 'Kernel keyrings',
    reason: 'Not separated by namespaces.',
    verdict: 'EPERM',
    calls: 'keyctl add_key request_key',
  },
  {
    purpose: 'Watching whole file systems',
    reason: 'fanotify reports and can hold up accesses of others.',
    verdict: 'EPERM',
    calls: 'fanotify_init fanotify_mark',
  },
  {
    purpose: 'Kernel modules and replacing the kernel',
    reason: 'Code in the kernel.',
    verdict: 'EPERM',
    calls: `
      init_module finit_module delete_module create_module query_module get_kernel_syms kexec_load
      kexec_file_load reboot`,
  },
  {
    purpose: 'Host-wide settings',
    reason: 'Belong to the machine and not to a sandbox.',
    verdict: 'EPERM',
    calls: `
      swapon swapoff acct quotactl quotactl_fd nfsservctl sethostname setdomainname syslog vhangup
      _sysctl settimeofday clock_settime clock_adjtime adjtimex`,
  },
  {
    purpose: 'Hardware ports and segments',
    reason: 'Direct access to hardware, and segment tables that only 16-bit code needs.',
    verdict: 'EPERM',
    calls: 'iopl ioperm modify_ldt',
  },
  {
    purpose: 'Placing memory on NUMA nodes',
    reason: 'Affects the host, and can move pages of other processes.',
    verdict: 'EPERM',
    calls: 'mbind get_mempolicy set_mempolicy set_mempolicy_home_node migrate_pages move_pages',
  },
  {
    purpose: 'Calls that Linux has given up or never had',
    reason: 'Nothing uses them.',
    verdict: 'EPERM',
    calls: `
      uselib ustat sysfs getpmsg putpmsg afs_syscall tuxcall security vserver epoll_ctl_old
      epoll_wait_old`,
  },
];
