"""A lab of canned services on loopback, half of them locked: one epoll process, no TLS, answers made beforehand.

    python canned_services.py ADDRESSES     prints `ready` when it listens; ends when standard input ends

Each of the addresses from 127.20.0.1 up carries Redis, Memcached, ClickHouse over HTTP and Elasticsearch.
"""

import select
import socket
import sys
from collections.abc import Callable

PORTS = {"redis": 6379, "memcached": 11211, "clickhouse": 8123, "elasticsearch": 9200}
Answer = Callable[[bytes], bytes]


def addresses(count: int) -> list[str]:
    """The addresses of the lab."""
    return [f"127.20.{number // 250}.{number % 250 + 1}" for number in range(count)]


def locked(address: str) -> bool:
    """Every second address asks for a password."""
    return int(address.rpartition(".")[2]) % 2 == 0


def _bulk(text: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text)


def _http(status: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


_HELLO = b"*6\r\n" + b"".join(map(_bulk, (b"server", b"redis", b"version", b"7.2.4"))) + _bulk(b"proto") + b":2\r\n"
_INFO = (
    b"# Server\r\nredis_version:7.2.4\r\nredis_mode:standalone\r\nos:Linux\r\ntcp_port:6379\r\n" + b"pad:x\r\n" * 60
)
_USER = b"*4\r\n" + b"".join(map(_bulk, (b"commands", b"+@all", b"keys", b"~*")))
_STATS = b"STAT pid 1\r\nSTAT version 1.6.18\r\nSTAT curr_items 7\r\n" + b"STAT padding 12345\r\n" * 60 + b"END\r\n"
_SETTINGS = b"STAT udpport 0\r\nSTAT auth_enabled_sasl no\r\nSTAT auth_enabled_ascii no\r\nEND\r\n"
_ROW = b'{"meta":[{"name":"a"},{"name":"b"}],"data":[[%s,%s]],"rows":1}'
_NODE = b'{"name":"n","cluster_name":"c","version":{"number":"7.10.2"},"tagline":"You Know, for Search"}'
_CLUSTER = b'{"cluster_name":"c","nodes":{"count":{"total":1}},"indices":{"count":3,"docs":{"count":9}}}'
_JSON = b"Content-Type: application/json"

REDIS = (
    (b"HELLO", _HELLO),
    (b"keyspace", _bulk(b"# Keyspace\r\ndb0:keys=5,expires=0,avg_ttl=0\r\n")),
    (b"INFO", _bulk(_INFO)),
    (b"WHOAMI", _bulk(b"default")),
    (b"GETUSER", _USER),
    (b"PING", b"+PONG\r\n"),
    (b"", b"-ERR unknown command\r\n"),
)
MEMCACHED = (
    (b"version", b"VERSION 1.6.18\r\n"),
    (b"settings", _SETTINGS),
    (b"stats", _STATS),
    (b"", b"ERROR\r\n"),
)
CLICKHOUSE = (
    (b"timezone()", _http(b"200 OK", _ROW % (b'"24.8.1.1"', b'"UTC"'), _JSON)),
    (b"system.databases", _http(b"200 OK", _ROW % (b'"2"', b'"11"'), _JSON)),
    (b"system.settings", _http(b"200 OK", _ROW % (b'"0"', b'"readonly"'), _JSON)),
    (b"GRANTS", _http(b"200 OK", b"GRANT ALL ON *.* TO default\n")),
    (b"", _http(b"200 OK", b"Ok.\n")),
)
ELASTICSEARCH = (
    (b"/_cluster", _http(b"200 OK", _CLUSTER, _JSON)),
    (b"", _http(b"200 OK", _NODE, _JSON)),
)
_SECURITY = b'{"error":{"type":"security_exception","reason":"missing authentication credentials"},"status":401}'
LOCKED = {
    "redis": b"-NOAUTH Authentication required.\r\n",
    "memcached": b"CLIENT_ERROR unauthenticated\r\n",
    "clickhouse": _http(
        b"401 Unauthorized",
        b"Code: 194. DB::Exception: default: Authentication failed: password is required. (REQUIRED_PASSWORD)\n",
        b"X-ClickHouse-Exception-Code: 194",
    ),
    "elasticsearch": _http(b"401 Unauthorized", _SECURITY, b'WWW-Authenticate: Basic realm="security"', _JSON),
}
OPEN = {"redis": REDIS, "memcached": MEMCACHED, "clickhouse": CLICKHOUSE, "elasticsearch": ELASTICSEARCH}


def answer(service: str, is_locked: bool) -> Answer:
    """How one service answers one request."""
    if is_locked:
        return lambda _: LOCKED[service]
    table = OPEN[service]
    return lambda request: next(reply for word, reply in table if word in request)


def main() -> None:
    """Serve until standard input ends."""
    epoll = select.epoll()
    epoll.register(sys.stdin.fileno(), select.EPOLLIN)
    listeners: dict[int, tuple[socket.socket, Answer]] = {}
    peers: dict[int, tuple[socket.socket, Answer]] = {}
    for address in addresses(int(sys.argv[1])):
        for service, port in PORTS.items():
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((address, port))
            one.listen(64)
            one.setblocking(False)
            listeners[one.fileno()] = (one, answer(service, locked(address)))
            epoll.register(one.fileno(), select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for fd, _ in epoll.poll():
            if fd == sys.stdin.fileno():
                return
            if fd in listeners:
                listener, reply = listeners[fd]
                peer, _ = listener.accept()
                peer.setblocking(False)
                peers[peer.fileno()] = (peer, reply)
                epoll.register(peer.fileno(), select.EPOLLIN)
                continue
            peer, reply = peers[fd]
            try:
                request = peer.recv(65536)
                if request:
                    peer.send(reply(request))
                    continue
            except OSError:
                pass  # Reset by the client: it has what it wanted.
            del peers[fd]
            peer.close()


if __name__ == "__main__":
    main()
