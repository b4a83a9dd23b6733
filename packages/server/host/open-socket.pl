# SETNS SENDMSG: opens TCP sockets in network namespaces and hands them to the server, a Node process
# at the other end of NODE_CHANNEL_FD, in the form in which Node's own child processes send them. Each
# request is a line `"ID ACTION FD ADDRESS PORT"`, where FD is a descriptor of the server that stands for
# the namespace. Uses no module, since loading one takes longer than all of this. Ends with the server.
my ($setns, $sendmsg) = @ARGV;
my $server = getppid();
my $channel = $ENV{NODE_CHANNEL_FD};
my ($new_user, $new_net, $get_owner) = (0x10000000, 0x40000000, 0xb701);
my ($inet, $inet6, $stream) = (2, 10, 1);
my %known = (98 => 'taken_port', 111 => 'closed_port');

# struct iovec and struct msghdr, and with a descriptor struct cmsghdr, of a 64-bit Linux.
sub send_text {
  my ($text, $fd) = @_;
  my $rights = defined $fd ? pack('Q l l l x4', 20, 1, 1, $fd) : '';
  my $vector = pack('P Q', $text, length $text);
  my $message = pack('Q L x4 P Q P Q l x4', 0, 0, $vector, 1, $rights, length $rights, 0);
  syscall($sendmsg, $channel + 0, $message, 0);
}

sub open_socket {
  my ($id, $action, $fd, $address, $port) = @_;
  my $fail = sub {
    my $kind = $known{$! + 0} || 'failed';
    my $detail = "$_[0]: $!";
    $detail =~ s/[^\w :.-]//g;
    send_text(qq({"id":$id,"failure":"$kind","detail":"$detail"}\n));
    exit;
  };
  alarm 10;
  open(my $namespace, '<', "/proc/$server/fd/$fd") or $fail->('namespace');
  # Not root: the server made the user namespace that the network belongs to, which gives it all rights
  # over that, and with them the right to enter.
  if ($> != 0) {
    my $owner = ioctl($namespace, $get_owner, 0) or $fail->('owner');
    syscall($setns, $owner + 0, $new_user) == 0 or $fail->('user namespace');
  }
  syscall($setns, fileno($namespace), $new_net) == 0 or $fail->('network namespace');
  my $place = $address eq '::1'
    ? pack('S n L a16 L', $inet6, $port, 0, ("\0" x 15) . "\1", 0)
    : pack('S n C4 x8', $inet, $port, split(/\./, $address));
  socket(my $socket, $address eq '::1' ? $inet6 : $inet, $stream, 0) or $fail->('socket');
  if ($action eq 'listen') {
    bind($socket, $place) or $fail->('bind');
    listen($socket, 256) or $fail->('listen');
  } else {
    connect($socket, $place) or $fail->('connect');
  }
  my $type = $action eq 'listen' ? 'net.Server' : 'net.Socket';
  send_text(qq({"cmd":"NODE_HANDLE","type":"$type","msg":{"id":$id}}\n), fileno $socket);
  exit;
}

open(my $requests, '<&=', $channel) or die "channel: $!";
$SIG{CHLD} = 'IGNORE';
my $text = '';
while (sysread($requests, $text, 65536, length $text)) {
  while ($text =~ s/^(.*)\n//) {
    # What else there is, is how Node says that it has received a socket.
    next unless $1 =~ /^"(\d+) (listen|connect) (\d+) ([\d.]+|::1) (\d+)"$/;
    my @request = ($1, $2, $3, $4, $5);
    my $child = fork;
    open_socket(@request) if defined $child && $child == 0;
    send_text(qq({"id":$1,"failure":"failed","detail":"fork"}\n)) unless defined $child;
  }
}
