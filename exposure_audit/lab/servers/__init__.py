"""Real servers on loopback, open and locked, for the tests and for the lab."""
