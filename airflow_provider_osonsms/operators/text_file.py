"""A text that stands in a file of its own, found by its name as Airflow finds templates."""

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import TemplateNotFound

from airflow_provider_osonsms._compat import AirflowFailException

_SUFFIXES: Final = (".txt", ".j2")


def load_text(message: Any, jinja_env: Any) -> Any:
    """Return the text of the file that *message* names, not yet rendered; any other message as it is.

    Of a message for each language, each text may name a file.

    Raises:
        AirflowFailException: There is no such file.
    """
    if isinstance(message, Mapping):
        return {language: load_text(text, jinja_env) for language, text in message.items()}
    if not isinstance(message, str) or not message.endswith(_SUFFIXES):
        return message
    try:
        if jinja_env.loader is not None:
            return jinja_env.loader.get_source(jinja_env, message)[0]
    except TemplateNotFound:
        pass
    raise AirflowFailException(
        "message ends like the name of a file (.txt, .j2), and there is no such file in the folder of the "
        "DAG or in its template_searchpath: correct the name"
    )
