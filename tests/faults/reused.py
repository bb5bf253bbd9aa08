"""Make a process with a number of our choice: how a reused pid comes about, without making 4 million processes.

`python tests/faults/reused.py PID` starts `sleep` as PID, says so, and ends it when its own input ends. Linux 5.5 or
newer; the number must be free, and the caller root (clone3(2), set_tid).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_CLONE3 = 435  # the same number on every architecture (clone3 came after they were brought in line)
_SIGCHLD = 17


def main(wanted: int) -> int:
    """Run until the input ends; 1 when the number cannot be had."""
    numbers = (ctypes.c_int * 1)(wanted)
    # struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
    # set_tid_size, cgroup
    arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, _SIGCHLD, 0, 0, 0, ctypes.addressof(numbers), 1, 0)
    libc = ctypes.PyDLL(None, use_errno=True)  # unlike CDLL it keeps the interpreter's lock, which the child needs
    pid = libc.syscall(_CLONE3, ctypes.byref(arguments), ctypes.c_size_t(ctypes.sizeof(arguments)))
    if pid == 0:
        os.execvp("sleep", ["sleep", "600"])
    if pid < 0:
        print(os.strerror(ctypes.get_errno()), flush=True)
        return 1
    print("made", flush=True)
    sys.stdin.read()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
