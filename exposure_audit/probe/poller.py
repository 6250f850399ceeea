"""Which links are ready: epoll where there is one, else what `selectors` finds (kqueue, poll)."""

import select
import selectors
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")

READABLE = 1
"""There is something to read, or an error to fetch."""
GONE = 2
"""The peer has closed its side: read on until the end shows."""


class Poller(Protocol[T]):
    """Watches file descriptors, each with an item that is handed back."""

    def watch(self, fd: int, item: T, *, read: bool, write: bool) -> None:
        """Watch a descriptor, or change what is watched of it."""

    def forget(self, fd: int) -> None:
        """Forget a descriptor that was closed."""

    def wait(self, timeout: float) -> list[tuple[T, int]]:
        """Wait, at most `timeout` seconds; return who is ready, with READABLE, GONE or 0 (writable)."""

    def close(self) -> None:
        """Let the kernel object go."""


class EpollPoller(Generic[T]):
    """Linux, edge-triggered: a descriptor is registered once for everything, and closing it unregisters it."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._items: dict[int, T] = {}

    def watch(self, fd: int, item: T, *, read: bool, write: bool) -> None:  # noqa: ARG002 - edges come once anyway
        """Watch a descriptor."""
        if fd not in self._items:
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)
        self._items[fd] = item

    def forget(self, fd: int) -> None:
        """Forget a descriptor that was closed."""
        self._items.pop(fd, None)

    def wait(self, timeout: float) -> list[tuple[T, int]]:
        """Wait and return what is ready."""
        # Rounded up: a wait that ends a hair too early is a busy loop.
        events = self._epoll.poll(timeout + 0.0005 if timeout else 0, max(1, len(self._items)))
        items, quiet, gone = self._items, ~select.EPOLLOUT, select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
        return [
            (items[fd], (READABLE if mask & quiet else 0) | (GONE if mask & gone else 0))
            for fd, mask in events
            if fd in items
        ]

    def close(self) -> None:
        """Let the kernel object go."""
        self._epoll.close()


class SelectorPoller(Generic[T]):
    """Everywhere else."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, fd: int, item: T, *, read: bool, write: bool) -> None:
        """Watch a descriptor, or change what is watched of it."""
        mask = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        known = self._selector.get_map().get(fd)
        if known is not None and (known.events != mask or known.data is not item):
            self._selector.unregister(fd)
            known = None
        if known is None and mask:
            self._selector.register(fd, mask, item)

    def forget(self, fd: int) -> None:
        """Forget a descriptor that was closed."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def wait(self, timeout: float) -> list[tuple[T, int]]:
        """Wait and return what is ready; being asked again costs a level-triggered poller nothing."""
        ready = self._selector.select(timeout)
        return [(key.data, READABLE if mask & selectors.EVENT_READ else 0) for key, mask in ready]

    def close(self) -> None:
        """Let the kernel object go."""
        self._selector.close()


def best_poller() -> Poller[T]:
    """The poller of this system."""
    return EpollPoller() if hasattr(select, "epoll") else SelectorPoller()
