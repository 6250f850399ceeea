"""Decides whether a release may go. Pure."""
