"""Holds rules against facts, in three values: true, false, unknown. Pure."""
