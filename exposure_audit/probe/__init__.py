"""Asks planned addresses, read-only, what they are and whether they want to know who we are."""
