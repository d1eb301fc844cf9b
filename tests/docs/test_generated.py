"""Generated pages: every code of the source has a cause, every command its help, every file its line."""

import re
import sys

import pytest
from markdown_pages import ROOT

sys.path.insert(0, str(ROOT / "docs" / "tools"))

import error_codes
import reference

SOURCES = sorted((ROOT / "src" / "mdeas").rglob("*.py"))


def test_no_code_of_the_source_is_missing():
    text = "\n".join(path.read_text() for path in SOURCES)
    written = set(re.findall(r"\b[EW]-[A-Z]+(?:-[A-Z0-9]+)*(?![-\w])", text))
    found = {use.code for use in error_codes.uses()}
    assert written <= found
    headings = re.findall(r"^### (\S+)$", error_codes.page(), re.MULTILINE)
    assert sorted(headings) == sorted(found) and len(found) > 100


def test_every_code_has_a_cause_and_every_error_an_exit_code():
    causes = {use.code for use in error_codes.uses() if use.message}
    assert causes == {use.code for use in error_codes.uses()}
    for entry in error_codes.page().split("\n### ")[1:]:
        assert "| cause | cure |" in entry
        assert entry.startswith("W-") or "Exit code" in entry, entry


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("E-EXISTS", "| {path}: exists already | Choose another name or pass --force. |"),
        ("W-PAIR-BLACK", "| the {name} is one flat colour, so the result means nothing | – |"),
    ],
)
def test_a_message_is_split_into_cause_and_cure(code, line):
    (entry,) = [entry for entry in error_codes.page().split("\n### ") if entry.startswith(f"{code}\n")]
    assert line in entry


def test_every_file_has_a_line_on_the_layout_page():
    page = reference.layout()
    for path in SOURCES:
        if path.name != "__init__.py":
            assert f"| `{path.name}` | " in page
    assert "|  |" not in page


def test_every_command_shows_its_help():
    page = reference.commands()
    assert page.count("--help") >= page.count("\n## ") > 20


def test_the_python_page_names_modules_that_are_there():
    for name in re.findall(r"^::: (\S+)$", reference.python(), re.MULTILINE):
        base = ROOT / "src" / name.replace(".", "/")
        assert base.is_dir() or base.with_suffix(".py").is_file(), name
