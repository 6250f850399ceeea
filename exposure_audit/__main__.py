"""Lets `python -m exposure_audit` do what the installed command does."""

import sys

from exposure_audit.cli.main import main

sys.exit(main())
