"""One file per family of AWS calls: what to ask, and how to read the answers."""
