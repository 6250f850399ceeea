"""The terminal: parses, calls the pipeline, prints, turns errors into advice and exit codes."""
