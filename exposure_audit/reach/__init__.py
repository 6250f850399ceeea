"""Turns an inventory into exposures: who reaches what, and through which gates. Pure."""
