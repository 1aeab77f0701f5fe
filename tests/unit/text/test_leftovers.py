"""A text that somebody should have filled, and did not, is told from one that is whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text.leftovers import (
    find_leftover,
    find_suspects,
    find_template_leftover,
)

COLUMNS = {"name", "Сумма, сом", "20", "a b"}
FILES = (
    "hello.txt",
    "HELLO.TXT",
    "my text.txt",
    "texts/reminder.tg.j2",
    " a.j2\n",
    "a.jinja",
    "a.jinja2",
    "a.tmpl",
)


@pytest.mark.parametrize(
    "text",
    [
        *FILES,
        "Салом, {{ name }}!",
        "{{name}}",
        "{% if x %}Салом",
        "{{20}}",
        "Салом, {name}!",
        "{Сумма, сом:.2f}",
        "{name!r}",
        "{a b}",
    ],
)
def test_leftovers_are_found(text: str) -> None:
    """What Jinja or a campaign would have filled, and the name of a file, are found in the text itself."""
    assert find_leftover(text, COLUMNS) is not None
    assert find_suspects(["Салом!", text]) == [1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Салом!",
        "Код: {AB}",
        "{ name }",
        "{}",
        "{",
        "}{",
        "100 %}",
        "^{}\\[~]|€",
        "https://shop.tj/a.jinja2",
        "shop.tj",
        "Матн дар hello.txt аст",
        "hello.txt\nСалом",
        "txt",
    ],
)
def test_whole_texts_are_left_alone(text: str) -> None:
    """Braces, addresses and the names of files inside of a text are text."""
    assert find_leftover(text, COLUMNS) is None


@given(st.text(alphabet="a{}%:! .jtx2\n", max_size=12))
def test_the_fast_look_misses_nothing(text: str) -> None:
    """Whatever is found needs a look."""
    if find_leftover(text, {"a"}) is not None:
        assert find_suspects([text]) == [0]


def test_without_a_table_no_field_is_filled() -> None:
    """A single message has no columns, so a field of any name is a leftover, and blanks are the way out."""
    assert find_leftover("Салом, {name}!") is not None
    assert find_leftover("{amount:.2f}") is not None
    for text in ("Салом, { name }!", "{20}", "{}", "{a-b}"):
        assert find_leftover(text) is None


@pytest.mark.parametrize(
    "text", [*FILES, "{{ name }}", "{{name}}", "{{- name }}", "{% x %}", "{{ 'a' }}", '{{"a"}}']
)
def test_a_template_that_jinja_has_not_seen(text: str) -> None:
    """A doubled brace before a name is Jinja's."""
    assert find_template_leftover(text) is not None


@pytest.mark.parametrize("text", ["{name}", "{{20}}", "{{}}", "{{{name}}}", "Салом {{", "Салом!"])
def test_a_template_of_a_campaign(text: str) -> None:
    """Fields and doubled braces that stand before no name are its own."""
    assert find_template_leftover(text) is None
