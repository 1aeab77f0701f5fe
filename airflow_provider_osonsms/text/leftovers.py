"""Leftovers: what shows that a text should have been filled by somebody, and was not.

Jinja renders what is written in a DAG, and nothing else: a text from an XCom, a Variable or a column is data.
So ``{{ name }}`` in it would be texted as it stands, and ``hello.txt`` instead of what that file holds.
"""

import re
from collections.abc import Container, Sequence
from typing import Final

from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_JINJA_TEXT: Final = re.compile(r"\{%|(?<!\{)\{\{[-+]?\s*(?:[^\W\d]|[\"'(\[])")
_FIELD: Final = re.compile(r"\{([^{}:!]+)(?:[:!][^{}]*)?\}")
_FILE: Final = re.compile(r".*\.(?:txt|j2)|(?!\S*://)\S+\.(?:jinja2?|tmpl|tpl)", re.IGNORECASE)
_UNRENDERED: Final = "it still holds '{{' or '{%' after rendering"
_LAST_CHARACTERS: Final = frozenset("tT2aAlL \t\r\n")
"""One of them is the last of every text that is the name of a file."""


def find_suspects(texts: Sequence[str], *, may_be_names: bool = True) -> list[int]:
    """Return the places of the texts that `find_leftover` needs to look at: fast, and few of them.

    Args:
        texts: As they would be sent.
        may_be_names: Whether one of them may be the name of a file; not if all have words in common.
    """
    if not may_be_names and "{" not in "".join(texts):
        return []
    if not may_be_names:
        return [place for place, text in enumerate(texts) if "{" in text]
    return [place for place, text in enumerate(texts) if "{" in text or text[-1:] in _LAST_CHARACTERS]


def find_leftover(text: str, columns: Container[object] | None = None) -> str | None:
    """Return what shows that *text* was never filled, for an error; None if nothing does.

    Args:
        text: As it would be sent.
        columns: The names of columns, whose fields should have been filled; None where there is no table, so
            that nothing fills the field of any name.
    """
    if "{{" in text or "{%" in text:
        return _UNRENDERED
    names = _FIELD.findall(text)
    if any(name.isidentifier() if columns is None else name in columns for name in names):
        return "it still holds a field such as {name} (put blanks inside of braces that belong to the text)"
    return _find_file_name(text)


def find_template_leftover(text: str) -> str | None:
    """Return what shows that Jinja has not rendered *text*, a template with {columns}; None if nothing does.

    A doubled brace before a name is taken for Jinja's: with one, a literal brace cannot be told from it.
    """
    if _JINJA_TEXT.search(text):
        return _UNRENDERED
    return _find_file_name(text)


def refuse_leftover(leftover: str | None, name: str) -> None:
    """Return if nothing is left over in the text of the parameter *name*.

    Raises:
        InvalidMessageError: Something is.
    """
    if leftover is not None:
        raise InvalidMessageError(
            f"{name} was never filled: {leftover}. Jinja renders what is written in the DAG, and not what "
            f"comes from an XCom, a Variable or a value: write the text out"
        )


def _find_file_name(text: str) -> str | None:
    return "it is the name of a file" if _FILE.fullmatch(text.strip()) else None
