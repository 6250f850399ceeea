"""Exit codes; each has one meaning. The table in README.md is compared with this one by a test."""

PASSED = 0
FAILED = 1
USAGE = 2
INCOMPLETE = 3
INTERRUPTED = 130

MEANING = {
    PASSED: "the gate passed, and everything asked for was looked at",
    FAILED: "the gate failed: findings at or above `--fail-on` that are neither in the lock nor suppressed",
    USAGE: "wrong usage, configuration, rule or input file: one line says what and where, and how to mend it",
    INCOMPLETE: "incomplete: something asked for could not be looked at, and nothing failed the gate "
    "(`--allow-incomplete` makes it 0)",
    INTERRUPTED: "interrupted; what was gathered is kept, `scan --resume` goes on",
}
