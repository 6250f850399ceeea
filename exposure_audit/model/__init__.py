"""The nouns of the audit, frozen and without I/O, and the set algebra of addresses and ports."""
