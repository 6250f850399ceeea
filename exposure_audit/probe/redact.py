"""Evidence without secrets: what a server says may hold the passwords of others, and a report travels.

Marks beat precision here: a value after a word such as `password` is replaced whether it was secret or not.
"""

import re

from exposure_audit.model.observation import EVIDENCE_BYTES

MARK = "[redacted]"
_LOOKED_AT = 8192
_LINE_ENDS = re.compile(r"[ \t]*[\r\n]+\s*")

_WORD = r"""(?:pass(?:word|wd|phrase)?|pwd|secret|requirepass|masterauth|(?:api|access|private|account)[_-]?key|
    (?:access|auth|refresh|session|id|security|csrf|xsrf)?[_-]?token|credentials?|secret[_-]?access[_-]?key|
    client[_-]?secret|sessionid|jsessionid|phpsessid|connection[_-]?string)"""
_SECRETS = re.compile(
    rf"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    | (?P<header>\b(?:(?:proxy-)?authorization|(?:set-)?cookie|x-(?:api|auth)-(?:key|token))\s*:\s*)[^\r\n]+
    | (?P<url>\b[a-z][a-z0-9+.-]{{1,20}}://[^\s/:@]{{0,64}}:)[^\s/@]+(?=@)
    | (?P<named>{_WORD}[\w-]{{0,16}}["']?\s*(?:=>|[:=])\s*)
      (?:"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;&"'}}]+)
    | \beyJ[\w-]{{8,}}\.[\w-]{{4,}}(?:\.[\w-]*)?
    | \b(?:AKIA|ASIA|LTAI)[A-Za-z0-9]{{12,28}}\b
    | \b(?:gh[oprsu]_|github_pat_|glpat-|xox[abprs]-|sk-|hvs\.)[\w-]{{10,}}
    | (?P<bearer>\bbearer\s+)[\w.~+/-]{{8,}}=*
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

# Looking for words costs a hundredth of matching: most evidence has none of them.
_HINTS = (
    "pass", "pwd", "secret", "masterauth", "key", "token", "credential", "sess", "string", "authorization",
    "cookie", "x-api", "x-auth", "://", "eyj", "akia", "asia", "ltai", "gh", "glpat", "xox", "sk-", "hvs.",
    "bearer",
)  # fmt: skip
# A secret follows the sign behind its name, or has a form of its own.
_FORMS = ("-----begin", "eyj", "akia", "asia", "ltai", "gh", "glpat", "xox", "sk-", "hvs.", "bearer")


def _suspect(lower: str) -> bool:
    """Whether a text, in lower case, is worth the matching. Plain loops: every text of a server comes here."""
    for hint in _HINTS:
        if hint in lower:
            break
    else:
        return False
    if ":" in lower or "=" in lower:
        return True
    for form in _FORMS:  # noqa: SIM110 - `any` with a generator takes three times as long
        if form in lower:
            return True
    return False


def _mark(match: re.Match[str]) -> str:
    kept = match["header"] or match["url"] or match["named"] or match["bearer"] or ""
    return kept + MARK


def redact(text: str) -> str:
    """Replace secrets by a mark; the words that name them stay."""
    text = text[:_LOOKED_AT]
    return _SECRETS.sub(_mark, text) if _suspect(text.lower()) else text


def clip(text: str, size: int = EVIDENCE_BYTES) -> str:
    """Cut to a number of UTF-8 bytes, never through a character."""
    if len(text) * 4 <= size:
        return text
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def evidence(data: bytes) -> str:
    """Return foreign bytes as one line of text, cut to 256 bytes; redacted first, so that no half secret stays."""
    text = redact(data[:_LOOKED_AT].decode("utf-8", "backslashreplace"))
    return clip(_LINE_ENDS.sub(" ", text).strip())
