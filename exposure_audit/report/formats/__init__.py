"""Printers of the view, one format a file."""
