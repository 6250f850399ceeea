"""YAML as rule files may use it: what is written is what is read, whatever is doubtful is refused with its line."""

import pytest

from exposure_audit.errors import InputFileError
from exposure_audit.judge import yamlfile


def read(text: str) -> object:
    node = yamlfile.parse(text.encode(), "a.yaml").mapping()["a"]
    return node.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a: text", "text"),
        ("a: 22", 22),
        ("a: -3", -3),
        ("a: 2.5", 2.5),
        ("a: true", True),
        ("a: false", False),
        ("a: null", None),
        ("a: ~", None),
        ("a:", None),
        ('a: "22"', "22"),
        ("a: '22:22'", "22:22"),
        ('a: "no"', "no"),
        ("a: 6.2.20", "6.2.20"),
        ("a: |\n  one\n  two\n", "one\ntwo\n"),
    ],
)
def test_core_schema_scalars(written: str, value: object) -> None:
    found = read(written)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "Yes",
        "on",
        "OFF",
        "y",
        "True",
        "22:22",
        "022",
        "0x1F",
        "0o17",
        "1_000",
        "1e3",
        ".5",
        ".inf",
        "2026-01-31",
    ],
)
def test_words_on_which_readers_disagree_are_refused(word: str) -> None:
    with pytest.raises(InputFileError, match=r"a\.yaml:2: the unquoted word"):
        yamlfile.parse(f"x: 1\na: {word}\n".encode(), "a.yaml")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a second 'a'"),
        ("a: &x 1\nb: 2\n", 1, "an anchor or alias"),
        ("a: 1\nb: *x\n", 2, "alias"),
        ("a: 1\n<<: {b: 2}\n", 2, "merge key"),
        ("a: !!python/object/apply:os.system [id]\n", 1, "tag"),
        ("a: !custom x\n", 1, "tag"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("[1, 2]: 3\n", 1, "not plain text"),
        ("a: [1, 2\n", 2, "not YAML"),
        ("a: 123456789012345678901234567890\n", 1, "number this long"),
        ("a: \x01\n", 0, "not YAML"),
    ],
)
def test_hazards_are_refused_with_their_line(text: str, line: int, message: str) -> None:
    with pytest.raises(InputFileError, match=message) as caught:
        yamlfile.parse(text.encode(), "a.yaml")
    assert caught.value.where == (f"a.yaml:{line}" if line else "a.yaml")


def test_an_alias_bomb_is_refused_before_it_is_built() -> None:
    text = 'a: &a ["x"]\nb: &b [*a, *a]\n'
    with pytest.raises(InputFileError, match="anchor or alias"):
        yamlfile.parse(text.encode(), "a.yaml")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(InputFileError, match="nesting deeper"):
        yamlfile.parse(b"a: " + b"[" * 100 + b"1" + b"]" * 100, "a.yaml")


def test_large_files_are_refused() -> None:
    with pytest.raises(InputFileError, match="larger than 256 KiB"):
        yamlfile.parse(b"a: " + b"x" * yamlfile.MAX_BYTES, "a.yaml")


def test_other_encodings_are_refused_with_their_line() -> None:
    with pytest.raises(InputFileError, match="not UTF-8") as caught:
        yamlfile.parse("a: 1\nb: é\n".encode("latin-1"), "a.yaml")
    assert caught.value.where == "a.yaml:2"


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    with pytest.raises(InputFileError, match="empty"):
        yamlfile.parse(text.encode(), "a.yaml")
