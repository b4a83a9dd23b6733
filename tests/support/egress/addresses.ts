/** Addresses of the egress tests. They exist in network namespaces that lead nowhere else. */
export const addresses = {
  public: {
    web: '93.184.215.14',
    web6: '2606:2800:21f::14',
    nameServer: '9.9.9.9',
  },
  inside: {
    lab: '10.20.30.40',
    metadata: '169.254.169.254',
    metadata6: 'fd00:ec2::254',
  },
  /** Public, and of the machine that runs the server. */
  own: '151.101.1.1',
} as const;

/** Both ends of the wire between the server's machine and the Internet. */
export const link = {
  server4: '192.0.2.1',
  internet4: '192.0.2.2',
  server6: '2001:db8::1',
  internet6: '2001:db8::2',
} as const;
