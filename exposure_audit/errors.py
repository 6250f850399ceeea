"""What a user can do wrong, each with one line that says what, where and how to mend it.

    ExposureAuditError
    ├── UsageError        a flag, an environment variable or the configuration file
    ├── InputFileError    a file given to us: targets, plan, rules, lock, snapshot manifest
    └── RunError          the run folder: cannot be written, cannot be resumed

Refused permission, throttling and silence are not errors: they are values (`model.inventory.Coverage`,
the endings of a probe), because the rest of the run goes on. Anything else that is raised is our own bug
and crashes.
"""


class ExposureAuditError(Exception):
    """A mistake that the user can mend; printed as one line, exit code 2."""

    def __init__(self, message: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.mend})" if self.mend else ""
        return f"{place}{self.message}{advice}"


class UsageError(ExposureAuditError):
    """A flag, an environment variable or a configuration value makes no sense."""


class InputFileError(ExposureAuditError):
    """A file given by the user cannot be read or means nothing."""


class RunError(ExposureAuditError):
    """The run folder cannot be written or resumed."""
