"""Wire formats that several probes share: bytes in, meaning out, no sockets."""
