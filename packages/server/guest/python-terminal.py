"""Runs a line of shell on a pseudo-terminal, and copies between that and its own input and output.

For machines whose `script` cannot. It waits wherever it copies, so that a slow reader holds the
program up and memory stays as it is. It ends as the program does: with 128 + n at signal n.
"""

import errno
import os
import pty
import select
import sys

PIECE = 65536
# How long the terminal is followed after its program has ended and left others on it.
GRACE_SECONDS = 0.1


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data):]


def read_terminal(terminal):
    try:
        return os.read(terminal, PIECE)
    except OSError as error:
        # What a terminal says when nobody has it open any more.
        if error.errno == errno.EIO:
            return b""
        raise


def copy(child, terminal):
    """Until the terminal is closed or the program has ended. Returns its status when it is known."""
    sources = [0, terminal]
    status = None
    while True:
        ready = select.select(sources, [], [], GRACE_SECONDS)[0]
        if terminal in ready:
            data = read_terminal(terminal)
            if not data:
                return status
            write_all(1, data)
        elif status is not None:
            return status
        if 0 in ready:
            data = os.read(0, PIECE)
            if data:
                write_all(terminal, data)
            else:
                sources.remove(0)
        if status is None:
            ended, found = os.waitpid(child, os.WNOHANG)
            if ended:
                status = found


def main():
    child, terminal = pty.fork()
    if child == 0:
        os.execv("/bin/sh", ["sh", "-c", sys.argv[1]])
    status = copy(child, terminal)
    if status is None:
        status = os.waitpid(child, 0)[1]
    sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


main()
