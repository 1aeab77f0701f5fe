"""References to the docs, in a good tree and in a bad one."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_references.py"
DESIGN = "# Design\n\n## The journal\n\n```\n# no heading\n```\n\n## Bulk is different\n"
WIRE_NOTES = "# Wire notes\n\n## Statuses\n\n## Message ids\n"

Check = Callable[[dict[str, str]], list[str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write files beside the two documents; what the script prints about them, without its last line."""

    def run(files: dict[str, str]) -> list[str]:
        for name, text in {"docs/design.md": DESIGN, "docs/wire-notes.md": WIRE_NOTES, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, timeout=60, check=False
        )
        *problems, last = done.stdout.splitlines()
        assert done.returncode == bool(problems), done.stdout + done.stderr
        assert last.startswith("references: ")
        return problems

    return run


def test_this_repository_has_no_dead_reference():
    """Every reference and link of this repository leads somewhere."""
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout


def test_a_good_tree_passes(check: Check):
    """Both forms, several headings, wrapped lines, links, anchors, images and paths are understood."""
    problems = check(
        {
            "package/a.py": '"""One.\n\n    §1; docs/wire-notes.md "Statuses",\n    "Message ids".\n"""\n'
            '# a comment (design,\n# "Bulk is\n# different") goes on\n',
            "package/.hidden/a.py": '# docs/design.md "No such heading"\n',
            "README.md": "[design](docs/design.md#the-journal), `package/a.py`, ![x](x.png), [o](https://o.tj/x)\n",
            "x.png": "",
            "Makefile": "V := 1\n.PHONY: test\n\ntest check: deps  ## run\n\t@run\n",
            "b.py": "# as `make check` does, and ``make test V=1``\n",
            "docs/more.md": "[up](../README.md) [here](#more)\n\n# More\n\n```\n[code](nowhere.md)\n```\n",
        }
    )

    assert problems == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('# docs/design.md "The diary"', 'docs/design.md has no heading "The diary"'),
        ('# docs/design.md "no heading"', 'docs/design.md has no heading "no heading"'),
        ('# (wire-notes, "Statuses", "Words")', 'docs/wire-notes.md has no heading "Words"'),
        ("# design §2", "'design §' names no heading of docs/"),
        ("# see wire-notes 7", "'wire-notes 7' names no heading of docs/"),
        ("# see docs/design.md.", "'docs/design.md' names no heading of docs/"),
        ("# as `make nothing` does", "make nothing is no target of the Makefile"),
    ],
)
def test_a_dead_reference_is_shown_with_its_line(check: Check, line: str, problem: str):
    """A heading that does not exist, and a reference without one, are problems."""
    assert check({"package/a.py": f"x = 1\n{line}\n"}) == [f"package/a.py:2: {problem}"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("[a](docs/nothing.md)", "docs/nothing.md does not exist"),
        ("![a](images/a.png)", "images/a.png does not exist"),
        ("[a](docs/design.md#the-diary)", "design.md has no heading for #the-diary"),
        ("[a](#nowhere)", "README.md has no heading for #nowhere"),
        ("`package/moved.py`", "package/moved.py does not exist"),
    ],
)
def test_a_dead_link_is_shown_with_its_line(check: Check, line: str, problem: str):
    """A file, an image or an anchor that does not exist is a problem."""
    assert check({"README.md": f"# A\n\n{line}\n"}) == [f"README.md:3: {problem}"]
