"""The audit that runs before growth: what the internet can reach, and whether it asks who you are."""

__version__ = "0.1.0"
