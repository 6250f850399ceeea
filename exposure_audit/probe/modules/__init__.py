"""One protocol a file: conversations without sockets."""
