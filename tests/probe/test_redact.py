"""Secrets do not survive in evidence; what explains the finding does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exposure_audit.probe.redact import MARK, clip, evidence, redact


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("requirepass hunter2", "requirepass hunter2"),  # No sign between: a word of prose.
        ("requirepass: hunter2", f"requirepass: {MARK}"),
        ('{"user":"a","password":"hun\\"ter2","n":1}', f'{{"user":"a","password":{MARK},"n":1}}'),
        ("password=hunter2&x=1", f"password={MARK}&x=1"),
        ("Authorization: Basic aHVudGVyMg==\r\nX: 1", f"Authorization: {MARK}\r\nX: 1"),
        ("Set-Cookie: sid=hunter2; Path=/\r\nX: 1", f"Set-Cookie: {MARK}\r\nX: 1"),
        ("redis://user:hunter2@db/0", f"redis://user:{MARK}@db/0"),
        ("key AKIAIOSFODNN7EXAMPLE here", f"key {MARK} here"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", f"aws_secret_access_key = {MARK}"),
        ("t=eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl!", f"t={MARK}!"),
        ("Bearer abcdef0123456789", f"Bearer {MARK}"),
        ("10.0.0.7 version 6.2 PONG", "10.0.0.7 version 6.2 PONG"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2", MARK),
    ],
)
def test_secrets_are_marked_and_the_rest_stays(said: str, kept: str) -> None:
    assert redact(said) == kept


def test_a_secret_at_the_cut_is_gone_too() -> None:
    said = b"x" * 240 + b" password=" + b"hunter2" * 20
    assert "hunter" not in evidence(said)


@given(st.binary(max_size=2000))
def test_evidence_fits_and_is_text(data: bytes) -> None:
    assert len(evidence(data).encode("utf-8")) <= 256


@given(st.text(max_size=400), st.integers(1, 300))
def test_clipping_keeps_a_prefix(text: str, size: int) -> None:
    cut = clip(text, size)
    assert text.startswith(cut)
    assert len(cut.encode("utf-8", "surrogatepass")) <= size


def test_evidence_is_one_line() -> None:
    assert evidence(b"HTTP/1.1 404 Not Found\r\n\r\nnothing here \n\n  really\r\n") == (
        "HTTP/1.1 404 Not Found nothing here really"
    )
