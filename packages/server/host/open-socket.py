# As open-socket.pl, for hosts without Perl.
import array, ctypes, errno, fcntl, json, os, re, signal, socket

SERVER = os.getppid()
NEW_USER, NEW_NET, GET_OWNER = 0x10000000, 0x40000000, 0xB701
KNOWN = {errno.EADDRINUSE: "taken_port", errno.ECONNREFUSED: "closed_port"}
libc = ctypes.CDLL(None, use_errno=True)
channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
# What else there is, is how Node says that it has received a socket.
request_form = re.compile(rb'^"(\d+) (listen|connect) (\d+) ([\d.]+|::1) (\d+)"$')


def enter(fd, kind):
    if libc.setns(fd, kind) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def open_socket(action, fd, address, port):
    namespace = os.open(f"/proc/{SERVER}/fd/{fd}", os.O_RDONLY)
    if os.geteuid() != 0:
        enter(fcntl.ioctl(namespace, GET_OWNER), NEW_USER)
    enter(namespace, NEW_NET)
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if action == "listen":
        opened.bind((address, port))
        opened.listen(256)
    else:
        opened.connect((address, port))
    return opened


def answer(request, action, *place):
    signal.alarm(10)
    try:
        opened = open_socket(action, *place)
    except OSError as error:
        failure = KNOWN.get(error.errno, "failed")
        send({"id": request, "failure": failure, "detail": str(error)})
        return
    kind = "net.Server" if action == "listen" else "net.Socket"
    rights = array.array("i", [opened.fileno()])
    message = {"cmd": "NODE_HANDLE", "type": kind, "msg": {"id": request}}
    send(message, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def send(message, rights=()):
    channel.sendmsg([json.dumps(message).encode() + b"\n"], rights)


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
text = b""
while received := channel.recv(65536):
    *lines, text = (text + received).split(b"\n")
    for line in lines:
        if match := request_form.match(line):
            request, action, fd, address, port = (part.decode() for part in match.groups())
            try:
                child = os.fork()
            except OSError as error:
                send({"id": int(request), "failure": "failed", "detail": str(error)})
                continue
            if child == 0:
                answer(int(request), action, fd, address, int(port))
                os._exit(0)
