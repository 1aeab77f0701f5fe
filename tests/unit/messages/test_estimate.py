"""What a campaign would take, counted before it is sent."""

from decimal import Decimal

import pytest

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.messages.estimate import Estimate, estimate_campaign, estimate_text
from airflow_provider_osonsms.messages.source import read_message_source


def make_source(message="Salom, {name}!", column=None, **given):
    """Make a source of texts."""
    return read_message_source(message, column, **{"is_latin": False, "max_parts": None} | given)


def make_audience(*names):
    """Make an audience of people with *names*; None has none."""
    people = [{"phone": str(992_900_000_000 + row), "name": name} for row, name in enumerate(names)]
    return prepare_audience(people, columns=["name"])


@pytest.mark.parametrize(
    ("name", "is_latin", "parts"),
    [
        ("Али", False, 1),
        ("я" * 80, False, 2),
        ("я" * 70, True, 1),
        ("a" * 200, False, 2),
        ("^" * 80, False, 2),
    ],
)
def test_parts_are_those_that_are_billed(name, is_latin, parts):
    """Each message counts the parts that its alphabet and length take, as it would be sent."""
    _, estimate = estimate_campaign(make_audience(name), make_source(is_latin=is_latin))

    assert estimate.parts == parts


def test_rows_without_a_message_are_rejected():
    """A row whose text is too long or cannot be rendered is no recipient, and costs nothing."""
    people = [
        {"phone": str(992_900_000_000 + row), "text": text}
        for row, text in enumerate(["Salom", "a" * 500, " ", 5, None])
    ]
    audience = prepare_audience(people, columns=["text"])
    left, estimate = estimate_campaign(audience, make_source(None, "text", max_parts=2))

    assert left.positions.tolist() == [0]
    assert {row.row: row.reason for row in left.rejects.read_rows()} == {
        2: RejectReason.TOO_MANY_PARTS,
        3: RejectReason.MISSING_VALUE,
        4: RejectReason.UNFIT_VALUE,
        5: RejectReason.MISSING_VALUE,
    }
    assert estimate.parts == 1


def test_what_is_counted_is_what_is_planned(make_rendered):
    """The parts of the estimate are those of the messages that are rendered for the sending."""
    audience, source = make_audience(*["Ali", "Зарина " * 20, "x" * 400] * 20), make_source()
    left, estimate = estimate_campaign(audience, source)

    assert estimate.parts == sum(make_rendered(left, source))


@pytest.fixture
def make_rendered():
    """Return the parts of each message of an audience."""

    def render(audience, source):
        return [
            parts
            for chunk in audience.read_chunks(7)
            for parts in source.render(chunk).measured.parts.tolist()
        ]

    return render


def test_samples_show_no_value():
    """Some first texts are kept, with every value masked, and no more than asked for."""
    _, estimate = estimate_campaign(
        make_audience("Ali", "Зарина", "Ӯктам", "Dilshod"), make_source(), samples=3
    )

    assert estimate.samples == ["Salom, ▪▪▪!", "Salom, ▪▪▪▪▪▪!", "Salom, ▪▪▪▪▪!"]


def test_one_text_for_everybody():
    """The text of a bulk job is counted once for each recipient."""
    assert estimate_text("Salom", recipients=384_615).parts == 384_615
    assert estimate_text("я" * 71, recipients=10).parts == 20
    assert estimate_text("Salom", recipients=0).parts == 0


def test_the_preview_sums_up(read):
    """The preview holds recipients by parts, the cost and what is left of the balance."""
    audience, estimate = estimate_campaign(make_audience("Ali", "a" * 200, "b" * 200), make_source())
    preview = estimate.make_preview(
        rejects=audience.rejects.count(),
        settings=read(host="https://api.test", extra={"price_per_part": "0.25"}),
        balance=Decimal(2),
        max_rate=10.0,
    )

    assert (preview.recipients, preview.rejected, dict(preview.distribution)) == (3, 0, {1: 1, 2: 2})
    assert (preview.parts, preview.cost, preview.balance_after) == (5, Decimal("1.25"), Decimal("0.75"))
    assert preview.seconds == 0.3
    assert "| Parts | 5 (1 x 1, 2 x 2) |" in preview.to_markdown()


def test_nothing_to_send(read):
    """An empty campaign has a preview too, of nothing."""
    _, estimate = estimate_campaign(make_audience(), make_source())
    preview = estimate.make_preview(
        rejects={"empty": 2}, settings=read(host="https://api.test"), balance=Decimal(0)
    )

    assert (preview.recipients, preview.parts, preview.rejected, preview.cost) == (0, 0, 2, None)
    assert Estimate().parts == 0


def test_a_balance_that_does_not_suffice_is_told_first(read):
    """The preview says how much to top up before it gives any other advice."""
    _, estimate = estimate_campaign(make_audience("Ali", "Зарина"), make_source())
    settings = read(host="https://api.test", extra={"price_per_part": "0.25"})
    preview = estimate.make_preview(rejects={}, settings=settings, balance=Decimal("0.10"))

    assert "- **The balance is too low: top up 0.40 somoni.**" in preview.to_markdown()
    assert preview.to_dict()["balance_after"] == -0.4
