"""One file a family of commands; every body is short and calls the pipeline."""
