# SPDX-License-Identifier: Apache-2.0
"""A network of its own for a cluster on this machine, which nothing else reaches: a network namespace of Linux.

TensorFlow's server listens on all interfaces and runs any graph that it is sent, so who reaches it can read and write
files. The namespace belongs to a process that does nothing else, and others join it:

    python3 isolation.py keep DESCRIPTOR       makes one, and keeps it until its standard input ends
    python3 isolation.py join PID COMMAND …    runs a command in the one that the process PID keeps

The keeper answers, with READY or why it can't, through a pipe of its own, as others may print on standard output. And
both start without what a machine adds to the start of Python: that may start threads, and who has threads can't join.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys

NEW_USER, NEW_NET = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET of <sched.h>
READY = "ready"
SCRIPT = [sys.executable, "-S", __file__]
SET_FLAGS, UP = 0x8914, 1  # SIOCSIFFLAGS of <linux/sockios.h>, IFF_UP of <net/if.h>


class OwnNetwork:
    """A network for commands of this process. Raises OSError where the system does not allow one."""

    def __init__(self):
        if not sys.platform.startswith("linux"):
            raise OSError("only Linux has network namespaces")
        reading, writing = os.pipe()
        with open(reading, encoding="utf-8") as answers:
            try:
                self.keeper = subprocess.Popen(
                    [*SCRIPT, "keep", str(writing)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[writing],
                    start_new_session=True,  # Ctrl-C in the terminal is not for it
                )
            finally:
                os.close(writing)  # so that the answers end if the keeper does
            answer = answers.readline().strip()
        if answer != READY:
            self.close()
            raise OSError(f"this system does not allow a network namespace: {answer}")

    def command(self, command):
        """The command that runs a command in this network, as the same process."""
        return [*SCRIPT, "join", str(self.keeper.pid), *command]

    def close(self):
        """Gives the network up; it lasts as long as there is a process in it."""
        self.keeper.communicate()


def call(function, *arguments):
    """Calls a function of the C library. Raises OSError if it fails."""
    if function(*arguments):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def keep(descriptor):
    with open(descriptor, "w", encoding="utf-8") as answers:
        try:
            enter_new_network()
        except OSError as error:
            print(error.strerror, file=answers)
            return
        print(READY, file=answers)
    sys.stdin.read()


def enter_new_network():
    import fcntl  # not on Windows

    libc = ctypes.CDLL(None, use_errno=True)
    try:
        call(libc.unshare, NEW_NET)  # root may, and keeps its rights on files of others
    except PermissionError:
        ids = {"uid": os.geteuid(), "gid": os.getegid()}
        call(libc.unshare, NEW_USER | NEW_NET)  # on most systems anybody may, as the same user with the same files
        write("/proc/self/setgroups", "deny")  # else only root may set gid_map
        for kind, number in ids.items():
            write(f"/proc/self/{kind}_map", f"{number} {number} 1")
    with socket.socket() as any_socket:  # a new loopback is down
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", b"lo", UP))


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def join(pid, command):
    libc = ctypes.CDLL(None, use_errno=True)
    for kind in ("user", "net"):
        here, there = f"/proc/self/ns/{kind}", f"/proc/{pid}/ns/{kind}"
        if os.readlink(here) != os.readlink(there):
            with open(there) as namespace:
                call(libc.setns, namespace.fileno(), 0)
    os.execvp(command[0], command)


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(int(sys.argv[2]))
    else:
        join(sys.argv[2], sys.argv[3:])
