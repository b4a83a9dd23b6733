"""Runs a line of shell on a pseudo-terminal, and copies between that and its own input and output.

For machines without `script`. It holds one piece each way, so that a slow reader holds the program up.
It ends as the program does: with 128 + n at signal n.
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


def write_terminal(terminal, data):
    """What did not fit: a program that shows something first may take no more until that is read."""
    try:
        return data[os.write(terminal, data):]
    except BlockingIOError:
        return data


def copy(child, terminal):
    """Until the terminal is closed or the program has ended. Returns its status when it is known."""
    os.set_blocking(terminal, False)
    status, typed, more = None, b"", True
    while True:
        sources = [terminal] + ([0] if more and not typed else [])
        ready, room, _ = select.select(sources, [terminal] if typed else [], [], GRACE_SECONDS)
        if terminal in ready:
            data = read_terminal(terminal)
            if not data:
                return status
            write_all(1, data)
        elif status is not None:
            return status
        if room:
            typed = write_terminal(terminal, typed)
        if 0 in ready:
            typed = os.read(0, PIECE)
            more = len(typed) > 0
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
