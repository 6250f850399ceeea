"""Chooses what to ask whom, in which order and how fast. Pure."""
