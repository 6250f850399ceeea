"""Turns credentials into a snapshot of raw API answers, and a snapshot into an inventory."""
