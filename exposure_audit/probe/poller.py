"""Which links are ready: epoll where there is one, else what `selectors` finds (kqueue, poll)."""

import select
import selectors
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Poller(Protocol[T]):
    """Watches file descriptors, each with an item that is handed back."""

    def watch(self, fd: int, item: T, *, read: bool, write: bool) -> None:
        """Watch a descriptor, or change what is watched of it."""

    def forget(self, fd: int) -> None:
        """Forget a descriptor that was closed."""

    def wait(self, timeout: float) -> list[T]:
        """Wait, at most `timeout` seconds, and return the items whose descriptors are ready or failed."""

    def close(self) -> None:
        """Let the kernel object go."""


class EpollPoller(Generic[T]):
    """Linux: closing a descriptor unregisters it, so forgetting costs no system call."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._items: dict[int, T] = {}
        self._masks: dict[int, int] = {}

    def watch(self, fd: int, item: T, *, read: bool, write: bool) -> None:
        """Watch a descriptor, or change what is watched of it."""
        mask = (select.EPOLLIN if read else 0) | (select.EPOLLOUT if write else 0)
        known = self._masks.get(fd)
        if known is None:
            self._epoll.register(fd, mask)
        elif known != mask:
            self._epoll.modify(fd, mask)
        self._masks[fd] = mask
        self._items[fd] = item

    def forget(self, fd: int) -> None:
        """Forget a descriptor that was closed."""
        self._masks.pop(fd, None)
        self._items.pop(fd, None)

    def wait(self, timeout: float) -> list[T]:
        """Wait and return the items whose descriptors are ready or failed."""
        # Rounded up: a wait that ends a hair too early is a busy loop.
        events = self._epoll.poll(timeout + 0.0005 if timeout else 0, max(1, len(self._masks)))
        return [self._items[fd] for fd, _ in events if fd in self._items]

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

    def wait(self, timeout: float) -> list[T]:
        """Wait and return the items whose descriptors are ready or failed."""
        return [key.data for key, _ in self._selector.select(timeout)]

    def close(self) -> None:
        """Let the kernel object go."""
        self._selector.close()


def best_poller() -> Poller[T]:
    """The poller of this system."""
    return EpollPoller() if hasattr(select, "epoll") else SelectorPoller()
