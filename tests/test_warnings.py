"""Which warnings fail a test: those of our code and of our calls."""

import warnings

import airflow.configuration  # noqa: F401 - on import it shows the warnings of modules that begin with "airflow"
import pytest

WARN = "import warnings\ndef warn(): warnings.warn('old', DeprecationWarning, stacklevel={level})\n"


def make_module(name: str, *, level: int = 1, **names: object) -> dict[str, object]:
    """Make a module that warns, in its own name or in its caller's."""
    module: dict[str, object] = {"__name__": name, **names}
    exec(WARN.format(level=level), module)  # noqa: S102
    return module


@pytest.mark.parametrize("name", ["airflow_provider_osonsms.hooks.osonsms", "tests.unit.test_anything"])
def test_our_own_warning_is_an_error(name: str) -> None:
    """A warning of our code, or of a test's, is an error."""
    with pytest.raises(DeprecationWarning):
        make_module(name)["warn"]()


def test_a_warning_about_our_call_is_an_error() -> None:
    """A warning that another's code raises about the line of ours that calls it is an error."""
    stranger = make_module("stranger.api", level=2)
    ours = {"__name__": "airflow_provider_osonsms.hooks.osonsms", "stranger": stranger["warn"]}

    with pytest.raises(DeprecationWarning):
        exec("stranger()", ours)  # noqa: S102


def test_a_warning_inside_others_is_none() -> None:
    """A warning inside another's code fails nothing."""
    with warnings.catch_warnings(record=True) as caught:
        make_module("stranger.api")["warn"]()

    assert [str(warning.message) for warning in caught] == ["old"]


def test_what_stays_open_is_an_error() -> None:
    """A file that nobody closes is an error, wherever it is noticed."""
    with pytest.raises(ResourceWarning):
        warnings.warn_explicit("unclosed file", ResourceWarning, "stranger/api.py", 1, module="stranger.api")
