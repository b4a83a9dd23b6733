import type { ArgumentMatch } from './filter-decision.ts';
import type { SyscallName } from './syscall-name.ts';

export interface CheckedCall {
  readonly call: SyscallName;
  readonly reason: string;
  readonly decision: ArgumentMatch;
}

/**
 * CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. CLONE_NEWTIME (0x80) is part
 * of the exit signal for clone and takes effect in clone3 and unshare alone.
 */
const newNamespaceFlags = 0x7e02_0000;

const addressFamily = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;
/** Low four bits of the type; SOCK_NONBLOCK and SOCK_CLOEXEC are above. */
const socketType = { mask: 0xf, stream: 1, datagram: 2 } as const;
const internetProtocol = { unspecified: 0, icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
const netlinkRoute = 0;

/** TIOCSTI types into the terminal, TIOCLINUX pastes into a console. */
const terminalInjection = [0x5412, 0x541c] as const;

/**
 * PER_LINUX and PER_LINUX32, each also with UNAME26, and the query that changes nothing. Others
 * switch off address randomisation or the lower bound of mappings.
 */
const harmlessPersonalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff] as const;

/** Calls that pass or fail by an argument. */
export const checkedCalls: readonly CheckedCall[] = [
  {
    call: 'clone',
    reason: 'Threads and processes yes, new namespaces no: those open the kernel to fake root.',
    decision: {
      argument: 0,
      mask: newNamespaceFlags,
      cases: [{ values: [0], decide: 'allow' }],
      otherwise: 'EPERM',
    },
  },
  {
    call: 'socket',
    reason:
      'Local, TCP, UDP and ping sockets, and route netlink, which lists interfaces. Other families ' +
      'and protocols would load seldom used kernel modules.',
    decision: {
      argument: 0,
      cases: [
        { values: [addressFamily.unix], decide: 'allow' },
        {
          values: [addressFamily.inet, addressFamily.inet6],
          decide: {
            argument: 1,
            mask: socketType.mask,
            cases: [
              {
                values: [socketType.stream, socketType.datagram],
                decide: {
                  argument: 2,
                  cases: [{ values: Object.values(internetProtocol), decide: 'allow' }],
                  otherwise: 'EPERM',
                },
              },
            ],
            otherwise: 'EPERM',
          },
        },
        {
          values: [addressFamily.netlink],
          decide: {
            argument: 2,
            cases: [{ values: [netlinkRoute], decide: 'allow' }],
            otherwise: 'EPERM',
          },
        },
      ],
      otherwise: 'EPERM',
    },
  },
  {
    call: 'socketpair',
    reason: 'Only local sockets come in pairs that programs use.',
    decision: {
      argument: 0,
      cases: [{ values: [addressFamily.unix], decide: 'allow' }],
      otherwise: 'EPERM',
    },
  },
  {
    call: 'ioctl',
    reason: 'Devices are few inside; input must not be typed into a terminal outside.',
    decision: {
      argument: 1,
      cases: [{ values: terminalInjection, decide: 'EPERM' }],
      otherwise: 'allow',
    },
  },
  {
    call: 'personality',
    reason: 'Build tools ask for it and set the harmless values.',
    decision: {
      argument: 0,
      cases: [{ values: harmlessPersonalities, decide: 'allow' }],
      otherwise: 'EPERM',
    },
  },
];
