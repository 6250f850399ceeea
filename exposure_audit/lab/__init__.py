"""A demo estate on loopback: a cloud API and real servers, open, locked and trapped."""
