import { networkInterfaces } from 'node:os';
import { listenOnAbstractSocket } from './abstract-socket.ts';
import type { EscapeAttempt } from './escape-attempt.ts';

const hostAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);

const connect = `
def connect(address, port, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as client:
        client.settimeout(3)
        client.connect((address, port))
        if kind == socket.SOCK_DGRAM: client.send(b'x')
ours = socket.socket(); ours.bind(('127.0.0.1', 0)); ours.listen()
say('own', lambda: connect('127.0.0.1', ours.getsockname()[1]))
`;

/** Ways to anybody else. */
export const networkEscapes: readonly EscapeAttempt[] = [
  {
    name: 'the server, on loopback',
    code: ({ server }) => `${connect}
for address in ['127.0.0.1', '127.1.2.3', '0.0.0.0']:
    say(address, lambda: connect(address, ${new URL(server.address).port}))
say('::1', lambda: connect('::1', ${new URL(server.address).port}, socket.AF_INET6))`,
    expected: [
      ...['own: ok', '127.0.0.1: ECONNREFUSED', '127.1.2.3: ECONNREFUSED'],
      ...['0.0.0.0: ECONNREFUSED', '::1: ECONNREFUSED'],
    ],
  },
  {
    name: "the host's own addresses, its network and the internet",
    code: ({ server }) => `${connect}
for address in ${JSON.stringify([...hostAddresses(), '169.254.169.254', '10.0.0.1', '1.1.1.1'])}:
    say('tcp', lambda: connect(address, ${new URL(server.address).port}))
    say('udp', lambda: connect(address, 53, kind=socket.SOCK_DGRAM))
say('tcp6', lambda: connect('2606:4700:4700::1111', 443, socket.AF_INET6))
try: print('name', socket.getaddrinfo('example.com', 443))
except socket.gaierror: print('name: none')`,
    get expected() {
      const addresses = hostAddresses().length + 3;
      return [
        'own: ok',
        ...Array.from({ length: addresses }, () => ['tcp: ENETUNREACH', 'udp: ENETUNREACH']).flat(),
        ...['tcp6: ENETUNREACH', 'name: none'],
      ];
    },
  },
  {
    name: 'sockets of the host by their abstract names and their paths',
    code: async ({ server, outside }) => {
      const { name, path } = await listenOnAbstractSocket(outside);
      return `
def local(name):
    with socket.socket(socket.AF_UNIX) as client: client.connect(name)
ours = socket.socket(socket.AF_UNIX); ours.bind('\\0own'); ours.listen()
say('own', lambda: local('\\0own'))
say('abstract', lambda: local('\\0${name}'))
say('path', lambda: local(${JSON.stringify(path)}))
say('control', lambda: local(${JSON.stringify(`${server.home}/control.sock`)}))
print('listed', ${JSON.stringify(name)} in open('/proc/net/unix').read())`;
    },
    expected: [
      ...['own: ok', 'abstract: ECONNREFUSED', 'path: ENOENT', 'control: ENOENT', 'listed False'],
    ],
  },
  {
    name: 'raw and packet sockets',
    code: `
say('stream', lambda: socket.socket().close())
say('raw icmp', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
say('raw ip', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 255))
say('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))
say('packet, cooked', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 3))
say('sctp', lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132))`,
    expected: [
      ...['stream: ok', 'raw icmp: EPERM', 'raw ip: EPERM', 'packet: EPERM'],
      ...['packet, cooked: EPERM', 'sctp: EPERM'],
    ],
  },
  {
    name: 'socket families that load parts of the kernel, or reach the hypervisor',
    code: `
say('unix', lambda: socket.socket(socket.AF_UNIX).close())
for name, family, kind in [('alg', 38, 5), ('vsock', 40, 1), ('bluetooth', 31, 3), ('can', 29, 3), ('tipc', 30, 1), ('x25', 9, 5), ('rds', 21, 5), ('key', 15, 3), ('llc', 26, 1), ('xdp', 44, 3)]:
    say(name, lambda: call('socket', family, kind, 0))
say('netlink audit', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9))
say('netlink netfilter', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12))
say('netlink uevent', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15))
say('pair', lambda: call('socketpair', 38, 5, 0, ctypes.create_string_buffer(8)))`,
    expected: [
      'unix: ok',
      ...['alg', 'vsock', 'bluetooth', 'can', 'tipc', 'x25', 'rds', 'key', 'llc', 'xdp'].map(
        (name) => `${name}: EPERM`,
      ),
      ...['netlink audit: EPERM', 'netlink netfilter: EPERM', 'netlink uevent: EPERM'],
      'pair: EPERM',
    ],
  },
  {
    name: 'configuring the network',
    code: `
import fcntl
print([line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]])
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
say('read flags', lambda: fcntl.ioctl(link, 0x8913, struct.pack('16sH14s', b'lo', 0, b'')) and None)
say('set flags', lambda: fcntl.ioctl(link, 0x8914, struct.pack('16sH14s', b'lo', 0, b'')) and None)
say('set address', lambda: fcntl.ioctl(link, 0x8916, struct.pack('16sHH4s8s', b'lo', 2, 0, bytes([10, 0, 0, 1]), b'')) and None)
route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
# RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, of a veth pair.
kind = struct.pack('HH', 9, 1) + b'veth\\0' + bytes(3)
info = struct.pack('HH', 4 + len(kind), 18) + kind
message = struct.pack('BBHiII', 0, 0, 0, 0, 0, 0) + info
def ask():
    route.send(struct.pack('IHHII', 16 + len(message), 16, 0x405, 1, 0) + message)
    code = struct.unpack('i', route.recv(4096)[16:20])[0]
    if code: raise OSError(-code, '')
say('new link', ask)
say('low port', lambda: socket.socket().bind(('127.0.0.1', 80)))`,
    expected: [
      ...["['lo']", 'read flags: ok', 'set flags: EPERM', 'set address: EPERM', 'new link: EPERM'],
      'low port: EACCES',
    ],
  },
];
