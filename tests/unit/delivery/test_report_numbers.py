"""Numbers are written as the language of the page writes them."""

from decimal import Decimal

import pytest

from airflow_provider_osonsms.delivery.report.numbers import read_format
from airflow_provider_osonsms.delivery.report.translations import Language


@pytest.mark.parametrize(
    ("language", "number", "money", "percentage", "duration", "moment"),
    [
        ("en", "1,234,567", "1,234.50", "88.8%", "4.5 h", "2026-11-24 11:00:00"),
        ("ru", "1 234 567", "1 234,50", "88,8 %", "4,5 ч", "24.11.2026 11:00:00"),
        ("tg", "1 234 567", "1 234,50", "88,8 %", "4,5 соат", "24.11.2026 11:00:00"),
    ],
)
def test_every_language(*, language, number, money, percentage, duration, moment):
    """Groups, decimals, percent signs, units and dates; nothing breaks over two lines."""
    numbers = read_format(Language(language))
    written = [
        numbers.print_number(1_234_567),
        numbers.print_number(Decimal("1234.5"), 2),
        numbers.print_percentage(533, 600),
        numbers.print_duration(3 * 5400),
    ]

    shown = [text.replace("\N{NO-BREAK SPACE}", " ") for text in written]
    assert shown == [number, money, percentage, duration]
    assert not any(" " in text for text in written)
    assert numbers.print_time(1_795_500_000.0) == moment


@pytest.mark.parametrize(
    ("count", "whole", "expected"),
    [
        (0, 600, "0.0%"),
        (600, 600, "100.0%"),
        (599_999, 600_000, "99.9%"),
        (9_499, 10_000, "94.9%"),
        (0, 0, "–"),
    ],
)
def test_a_percentage_is_rounded_down(count, whole, expected):
    """What was not reached never looks as if it were."""
    assert read_format(Language.ENGLISH).print_percentage(count, whole) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(1.0, "100%"), (0.95, "95%"), (0.999, "99.9%"), (0.0, "0%"), (0.9995, "99.95%")]
)
def test_a_share_is_written_as_it_was_given(share, expected):
    """What was asked for keeps its decimals."""
    assert read_format(Language.ENGLISH).print_share(share) == expected
