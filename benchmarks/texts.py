"""Rendering and counting: a text for every row and its parts, against two loops over rows.

Names and amounts are lists, as the caller has them, 1 % of each missing. Ours works in chunks, as a campaign
does, and normalizes (NFC, no invisible characters). The peers do not, and find their rows made dicts before.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from jinja2 import Environment
from side_by_side import Candidate, Peer, compare

from airflow_provider_osonsms.text.counting import measure
from airflow_provider_osonsms.text.templates import Template

ROWS: Final = 1_000_000
PEER_ROWS: Final = 100_000
CHUNK: Final = 16_384
MISSING: Final = 0.01

CYRILLIC: Final = "Салом, {name}! Қарзи шумо {amount:.2f} сомонӣ. Лутфан то 25.11 пардохт кунед. Бонки мо"
LATIN: Final = "Salom, {name}! Qarzi shumo {amount:.2f} somoni. Lutfan to 25.11 pardokht kuned. Bonki mo"
NAMES: Final = {
    CYRILLIC: ("Али", "Фаррух", "Зарина", "Шаҳноза", "Муҳаммадҷон", "Гулнора Раҳимова"),
    LATIN: ("Ali", "Farrukh", "Zarina", "Shahnoza", "Muhammadjon", "Gulnora Rahimova"),
}

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("^{}\\[~]|€\f")

Columns = dict[str, list[Any]]


def make_columns(text: str, *, rows: int = ROWS) -> Columns:
    """Make *rows* names and amounts for *text*, the same on every call."""
    chance = random.Random(3)
    names = [None if chance.random() < MISSING else chance.choice(NAMES[text]) for _ in range(rows)]
    amounts = [None if chance.random() < MISSING else round(chance.random() * 5_000, 2) for _ in range(rows)]
    return {"name": names, "amount": amounts}


def make_rows(text: str, *, rows: int = PEER_ROWS) -> list[dict[str, Any]]:
    """Make the same as dicts."""
    columns = make_columns(text, rows=rows)
    return [{"name": name, "amount": amount} for name, amount in zip(*columns.values(), strict=True)]


def count_by_columns(text: str, columns: Columns) -> int:
    """Return the parts of all texts, by this package."""
    template = Template(text)
    parts = 0
    for start in range(0, len(columns["name"]), CHUNK):
        chunk = {name: values[start : start + CHUNK] for name, values in columns.items()}
        rendered = template.render(chunk, rows=len(chunk["name"]))
        parts += int(measure(rendered.texts).parts.sum())
    return parts


def count_by_jinja(text: str, rows: list[dict[str, Any]]) -> int:
    """Return the parts of all texts: a Jinja render per row, then character by character."""
    source = text.replace("{name}", "{{ name }}").replace("{amount:.2f}", "{{ '%.2f' % amount }}")
    return count_by_rows(Environment(autoescape=False).from_string(source).render, rows)  # noqa: S701


def count_by_format_map(text: str, rows: list[dict[str, Any]]) -> int:
    """Return the parts of all texts: `str.format_map` per row, then character by character."""
    return count_by_rows(text.format_map, rows)


def count_by_rows(render: Callable[[Mapping[str, Any]], str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Return the parts of what *render* makes of all rows in which nothing is missing."""
    return sum(count_by_characters(render(row)) for row in rows if None not in row.values())


def count_by_characters(text: str) -> int:
    """Return the parts of *text*; pairs are not split in life, and hardly ever met: left out here."""
    units = 0
    for character in text:
        if character in BASIC:
            units += 1
        elif character in EXTENSION:
            units += 2
        else:
            return count_ucs2(text)
    return 1 if units <= 160 else -(-units // 153)


def count_ucs2(text: str) -> int:
    """Return the parts of *text* in UCS-2."""
    units = 0
    for character in text:
        units += 2 if character > "\uffff" else 1
    return 1 if units <= 70 else -(-units // 67)


def check(text: str) -> None:
    """Hold all three to the same result."""
    rows = 20_000
    expected = count_by_columns(text, make_columns(text, rows=rows))
    for peer in (count_by_jinja, count_by_format_map):
        found = peer(text, make_rows(text, rows=rows))
        if found != expected:
            raise RuntimeError(f"{peer.__name__} counts {found} parts, this package {expected}")


def main() -> None:
    """Measure for a text in Cyrillic and one in Latin."""
    for name, text in {"Cyrillic": CYRILLIC, "Latin": LATIN}.items():
        check(text)
        prepare = partial(make_rows, text)
        jinja, format_map = partial(count_by_jinja, text), partial(count_by_format_map, text)
        compare(
            f"render and count parts, {name}",
            ours=Candidate(
                "this package", partial(count_by_columns, text), prepare=partial(make_columns, text)
            ),
            peers=[
                Peer("Jinja and a counter per character", jinja, prepare, PEER_ROWS, at_least=8.0),
                Peer("format_map and the same counter", format_map, prepare, PEER_ROWS, at_least=3.0),
            ],
            rows=ROWS,
            figure="cpu",
        )


if __name__ == "__main__":
    main()
