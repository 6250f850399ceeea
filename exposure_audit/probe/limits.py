"""What this machine lets us hold open at once, and how it says that there is no more."""

import errno

LOCAL_EXHAUSTION = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN}
)
"""Errors of socket() and connect() that mean "not now": slow down, never a result."""

_RESERVE = 64
"""Descriptors left for files, threads and libraries."""


def open_files() -> int:
    """Raise the soft limit of open files to the hard one; return how many sockets fit."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (ValueError, OSError):
            pass  # Some systems lie about the hard limit: the soft one is what we have.
    if soft == resource.RLIM_INFINITY:
        return 1 << 20
    return max(1, soft - _RESERVE)
