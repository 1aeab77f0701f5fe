"""The parameters ``message``, ``language_column`` and ``default_language`` of a text for each language."""

from collections.abc import Mapping
from typing import Final

from airflow_provider_osonsms.audience.languages import fold_language
from airflow_provider_osonsms.audience.missing import is_blank

_MAX_NAME_LENGTH: Final = 20
_EXAMPLE: Final = 'message={"tg": "...", "ru": "..."}, language_column="language"'


def find_language_problem(
    message: object, *, language_column: object, default_language: object
) -> str | None:
    """Return why the three do not fit together, and what to give; None if they do.

    A *message* from another task can be looked at only when the task runs.
    """
    if hasattr(message, "resolve"):
        return None
    if not isinstance(message, Mapping):
        given = {"language_column": language_column, "default_language": default_language}
        extra = next((name for name, value in given.items() if value is not None), None)
        return None if extra is None else f"{extra} needs a message for each language: {_EXAMPLE}"
    if language_column is None:
        return f"a message for each language needs language_column, the name of a column: {_EXAMPLE}"
    return _find_text_problem(message) or _find_default_problem(message, default_language)


def find_mapping_problem(message: object) -> str | None:
    """Return why *message* cannot be the one text for all; None if it can."""
    if not isinstance(message, Mapping):
        return None
    return (
        f"message must be one text for all, and is a {type(message).__name__}: only a campaign has a text "
        f"for each language"
    )


def _find_text_problem(message: Mapping[object, object]) -> str | None:
    if not all(map(_is_name, message)):
        return (
            f"the languages of message must be short texts, up to {_MAX_NAME_LENGTH} characters, as they "
            f"stand in language_column: {_EXAMPLE}"
        )
    if not message or len(set(map(fold_language, message))) < len(message):
        return f"message must name each language once, and at least one: {_EXAMPLE}"
    for name, text in message.items():
        if not hasattr(text, "resolve") and (not isinstance(text, str) or is_blank(text)):
            return f"message[{name!r}] must be a text that is not empty"
    return None


def _find_default_problem(message: Mapping[object, object], default_language: object) -> str | None:
    if default_language is None or fold_language(default_language) in map(fold_language, message):
        return None
    languages = ", ".join(map(str, message))
    return (
        f"default_language must be a language of message ({languages}), or None to reject the rows without a "
        f"known language"
    )


def _is_name(name: object) -> bool:
    return (
        isinstance(name, str)
        and not is_blank(name)
        and len(name) <= _MAX_NAME_LENGTH
        and name.isprintable()
        and "{" not in name  # Jinja renders the texts, not their languages
    )
