"""A template is a text with the names of columns and formats in it, and nothing else."""

import copy
import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.text.templates import Problem, ProblemKind, Template

DEBT = "Салом, {name}! Қарз {amount:.2f} сомонӣ"


def render_one(text: str, **values: object) -> str:
    """Return *text* for a table of one row, which has no problem."""
    rendered = Template(text).render({name: [value] for name, value in values.items()}, rows=1)
    assert not rendered.problems
    return rendered.texts[0]


def test_fields_are_filled_row_by_row() -> None:
    """Each row gets its own name and amount."""
    columns = {"amount": [1250.0, 0.5], "name": ["Али", "Зарина"], "city": ["Душанбе", None]}

    rendered = Template(DEBT).render(columns, rows=2)

    assert rendered.texts == ["Салом, Али! Қарз 1250.00 сомонӣ", "Салом, Зарина! Қарз 0.50 сомонӣ"]
    assert rendered.problems == []


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (DEBT, ("name", "amount")),
        ("{b}{a}{b:>3}", ("b", "a")),
        ("{номи пурра}, {Сумма, сом} {имя/name}", ("номи пурра", "Сумма, сом", "имя/name")),
        ("Салом! {{name}}", ()),
        ("", ()),
    ],
)
def test_columns_are_known_before_rendering(text: str, columns: tuple[str, ...]) -> None:
    """A template names the columns it needs, each once, in the order of the text."""
    assert Template(text).columns == columns


def test_a_text_without_fields_is_repeated() -> None:
    """Everybody gets the same text; a doubled brace is a brace, and a percent sign is only that."""
    assert Template("100 % {{салом}}").render({}, rows=3).texts == ["100 % {салом}"] * 3
    assert Template("").render({}, rows=2).texts == ["", ""]
    assert Template(DEBT).render({"name": [], "amount": []}, rows=0).texts == []


@given(st.text(), st.text())
def test_literals_survive(text: str, name: str) -> None:
    """Whatever stands around a field and in a value stays as it is."""
    literal = text.replace("{", "{{").replace("}", "}}")

    assert render_one(f"{literal}{{name}}{literal}", name=name) == f"{text}{name}{text}"


def test_a_row_without_a_value_has_no_text() -> None:
    """A missing value leaves its row empty and names its column; the other rows are written."""
    columns = {"name": ["Али", None, "Зарина", None], "amount": [1.0, 2.0, None, None]}

    rendered = Template(DEBT).render(columns, rows=4)

    assert rendered.texts == ["Салом, Али! Қарз 1.00 сомонӣ", "", "", ""]
    assert rendered.problems == [
        Problem(kind=ProblemKind.MISSING, column="name", rows=[1, 3]),
        Problem(kind=ProblemKind.MISSING, column="amount", rows=[2]),
    ]


def test_a_value_that_does_not_fit_has_no_text() -> None:
    """A value that its format cannot write is a problem of its row, told once; missing comes first."""
    columns = {"name": ["Али", "Фаррух", None], "amount": ["many", 2, "many"]}

    rendered = Template("{name}: {amount:.2f} ({amount:.0f})").render(columns, rows=3)

    assert rendered.texts == ["", "Фаррух: 2.00 (2)", ""]
    assert rendered.problems == [
        Problem(kind=ProblemKind.MISSING, column="name", rows=[2]),
        Problem(kind=ProblemKind.UNFIT, column="amount", rows=[0]),
    ]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("{a:.2}", [1250.5, 7, "1250,50", "1,250", None]),
        ("{a:.2s}", ["1250.50"]),
        ("{a:%d.%m.%Y}", ["2026-11-05", 5, "Али"]),
        ("{a:.2f}", [dt.date(2026, 11, 5), None]),
        ("{a:>10}", [dt.time(9, 30)]),
    ],
)
def test_a_format_that_fits_no_kind_of_value_is_a_fault_of_the_text(field: str, values: list[object]) -> None:
    """It is told apart from wrong values: no row of that kind can ever be written."""
    assert Template(field).render({"a": values}, rows=len(values)).misfits == [field]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("{a:.2}", ["Али", 1250.5]),
        ("{a:.2}", ["#N/A"]),
        ("{a:.2f}", ["many"]),
        ("{a:%d.%m.%Y}", [dt.date(2026, 11, 5), "Али"]),
        ("{a:%d.%m.%Y}", []),
        ("{a}", [[1]]),
    ],
)
def test_a_wrong_value_is_no_fault_of_the_text(field: str, values: list[object]) -> None:
    """If one value fits, or none fits because it is wrong itself, the rows are at fault."""
    assert Template(field).render({"a": values}, rows=len(values)).misfits == []


@given(st.lists(st.tuples(*[st.one_of(st.none(), st.text(max_size=3), st.floats(), st.integers())] * 2)))
def test_every_row_has_a_text_or_one_problem(rows: list[tuple[object, object]]) -> None:
    """Texts and problems partition the rows, whatever they hold."""
    columns = {"a": [a for a, _ in rows], "b": [b for _, b in rows]}

    rendered = Template("!{a}{b:.2f}{a:>5}").render(columns, rows=len(rows))

    written = [row for row, text in enumerate(rendered.texts) if text]
    unwritten = [row for problem in rendered.problems for row in problem.rows]
    assert sorted(written + unwritten) == list(range(len(rows)))


@pytest.mark.parametrize(
    ("field", "advice"),
    [
        ("{}", "no column name"),
        ("{ }", "no column name"),
        ("{0}", "no column name"),
        ("{12:.2f}", "no column name"),
        ("{:.2f}", "no column name"),
        ("{name.upper}", "'name.upper' of the text looks inside a value"),
        ("{name.__class__.__mro__}", "looks inside a value"),
        ("{name[0]}", "looks inside a value"),
        ("{name!r}", "'name' of the text has a conversion, '!r': leave it out"),
        ("{name!q}", "has a conversion"),
        ("{amount:{width}}", "'amount' of the text has a field in its format"),
        ("{amount:{}}", "has a field in its format"),
        ("{amount:euro}", "'amount' of the text has an unknown format: use one of text"),
        ("{amount:.2d}", "has an unknown format"),
        ("{amount:,.2}", "has an unknown format"),
        ("{amount:+.2}", "has an unknown format"),
        ("{amount:05.2}", "has an unknown format"),
        ("{amount:>1000}", "has an unknown format"),
        ("{amount:.1000f}", "has an unknown format"),
        ("{name", "do not match"),
        ("name}", "do not match"),
        ("{name!}", "do not match"),
        ("{{name}", "do not match"),
        ("{", "do not match"),
    ],
)
def test_what_is_no_field_is_refused_at_once(field: str, advice: str) -> None:
    """Anything but a column's name and a format is an error that says so, and does not show the text."""
    with pytest.raises(InvalidMessageError, match=re.escape(advice)) as raised:
        Template(f"Салом, сирри ман {field}")

    assert "сирри" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_forgotten_brace_shows_no_text() -> None:
    """A field that has swallowed the text is not shown."""
    with pytest.raises(InvalidMessageError, match=r"^A field of the text looks inside") as raised:
        Template("Салом {Али. Қарзи шумо ба мо 1250 сомонӣ аст, пардохт кунед}")

    assert "1250" not in str(raised.value)


def test_nothing_shows_texts() -> None:
    """The repr of a template and of what it renders holds no text and no positions."""
    template = Template("сирр {name}")

    assert "сирр" not in repr(template)
    assert repr(template.render({"name": [None, "Али"]}, rows=2)) == (
        "Rendered(problems=[Problem(kind=<ProblemKind.MISSING: 'missing'>, column='name')], misfits=[])"
    )


def test_a_template_can_be_copied() -> None:
    """A copy of a template renders the same: Airflow copies operators with all they hold."""
    template = copy.deepcopy(Template(DEBT))

    assert template.render({"name": ["Али"], "amount": [1]}, rows=1).texts == ["Салом, Али! Қарз 1.00 сомонӣ"]
