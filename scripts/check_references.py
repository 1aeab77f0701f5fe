"""``make layers``: every reference to the docs, and every link in them, leads to something that exists.

Reasons stand in ``docs/design.md`` and ``docs/wire-notes.md``, and the code names their headings: a heading
that is renamed would leave such a reference behind unseen. Checked are, in every text file of the tree,
``docs/design.md "The journal"`` and the short form ``(design, "The journal")``, with one heading or several;
commands in backticks such as ``make test``; and, in Markdown, relative links, images, anchors, and paths in
backticks.

Usage: ``python scripts/check_references.py [folder]``; prints ``file:line: problem`` and returns 1 for any.
"""

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

PACKAGE: Final = "airflow_provider_osonsms"
SUFFIXES: Final = {".css", ".html", ".j2", ".js", ".md", ".py", ".toml"}
EXAMPLES: Final = {"scripts/check_references.py", "tests/unit/test_references.py"}
"""Files that hold references as examples."""

_GAP: Final = r"[\s#]+"  # a reference may go on in the next line, in a comment too
_HEADING: Final = r'"[^"]{1,80}"'
_REFERENCE: Final = re.compile(
    rf"(?:docs/(?P<file>design|wire-notes)\.md|\b(?P<short>design|wire-notes),){_GAP}"
    rf"(?P<headings>{_HEADING}(?:,{_GAP}{_HEADING})*)"
)
_WITHOUT_HEADING: Final = re.compile(
    rf"\bdesign{_GAP}§|\bwire-(?:{_GAP})?notes?{_GAP}\d|docs/(?:design|wire-notes)\.md(?![\])`#]|{_GAP}\")"
)
_LINK: Final = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")
_PATH: Final = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:css|html|j2|js|md|py|toml|txt))`")
_COMMAND: Final = re.compile(r"`make ([\w-]+)")
_TARGET: Final = re.compile(r"^([\w-]+(?: [\w-]+)*):(?!=)", re.MULTILINE)
_FENCE: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def find_problems(root: Path) -> Iterator[str]:
    """Yield ``file:line: problem`` for each reference or link below *root* that leads nowhere."""
    for path in list_files(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        found = [] if name in EXAMPLES else list(check_references(text, root))
        if path.suffix == ".md":
            found += check_links(text, path, root)
        for position, problem in sorted(found):
            line = text.count("\n", 0, position) + 1
            yield f"{name}:{line}: {problem}"


def list_files(root: Path) -> Iterator[Path]:
    """List the text files below *root*, without hidden folders such as ``.venv``."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix in SUFFIXES)


def check_references(text: str, root: Path) -> Iterator[tuple[int, str]]:
    """Yield position and problem of each reference that names no heading of its file, or no target."""
    for match in _REFERENCE.finditer(text):
        file = f"docs/{match['file'] or match['short']}.md"
        for quoted in re.findall(_HEADING, match["headings"]):
            heading = " ".join(re.sub(_GAP, " ", quoted.strip('"')).split())
            if heading not in read_headings(root / file):
                yield match.start(), f'{file} has no heading "{heading}"'
    for match in _WITHOUT_HEADING.finditer(text):
        yield match.start(), f"{' '.join(match[0].split())!r} names no heading of docs/"
    for match in _COMMAND.finditer(text):
        if match[1] not in read_targets(root / "Makefile"):
            yield match.start(), f"make {match[1]} is no target of the Makefile"


def check_links(text: str, path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield position and problem of each link, image or path of a Markdown file that leads nowhere."""
    prose = _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    for match in _LINK.finditer(prose):
        name, _, anchor = match[1].partition("#")
        target = path.parent / name if name else path
        if not target.exists():
            yield match.start(), f"{name} does not exist"
        elif anchor and anchor not in map(make_anchor, read_headings(target)):
            yield match.start(), f"{target.name} has no heading for #{anchor}"
    for match in _PATH.finditer(prose):
        if not any((folder / match[1]).exists() for folder in (root, root / PACKAGE, path.parent)):
            yield match.start(), f"{match[1]} does not exist"


@cache
def read_headings(path: Path) -> tuple[str, ...]:
    """Return the headings of a Markdown file; none of a file that does not exist."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return tuple(re.findall(r"^#+ (.+?) *$", _FENCE.sub("", text), re.MULTILINE))


@cache
def read_targets(path: Path) -> frozenset[str]:
    """Return the targets of a Makefile; none of a file that does not exist."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return frozenset(name for names in _TARGET.findall(text) for name in names.split())


def make_anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main() -> int:
    """Print the problems of a tree."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    problems = list(find_problems(root))
    for problem in problems:
        print(problem)
    print(f"references: {len(problems)} lead nowhere" if problems else "references: all lead somewhere")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
