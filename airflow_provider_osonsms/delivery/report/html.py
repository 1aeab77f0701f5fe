"""The page of the report: one HTML file without links to other files or sites."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from jinja2 import Environment, PackageLoader

from airflow_provider_osonsms.delivery.criteria import DeliveryCriteria, Reach
from airflow_provider_osonsms.delivery.report.collect import Figures
from airflow_provider_osonsms.delivery.report.numbers import read_format
from airflow_provider_osonsms.delivery.report.translations import Language
from airflow_provider_osonsms.delivery.report.verdict import Ending, make_verdict
from airflow_provider_osonsms.delivery.summary import DeliverySummary
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

_POINTS: Final = 240
_WIDTH: Final = 600
_HEIGHT: Final = 160
_KINDS: Final = {
    Reach.REACHED: "",
    Reach.NOT_REACHED: "bad",
    Reach.NOT_KNOWN: "bad",
    Reach.ON_ITS_WAY: "wait",
}

Bar = tuple[str, int, str]
"""Name of a caption, count, and a CSS class: "", ``bad`` or ``wait``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The heading of the page.

    Attributes:
        title: For people; empty for that of the language.
        task: The dag, run and task of the wait.
        campaigns: Ids of the campaigns.
        price_per_part: In somoni; None when unknown.
        table: The name of the table beside the page.
    """

    title: str = ""
    task: str
    campaigns: tuple[str, ...] = ()
    price_per_part: Decimal | None = None
    table: str = ""


def render_page(
    figures: Figures,
    summary: DeliverySummary,
    *,
    criteria: DeliveryCriteria,
    ending: Ending,
    heading: Heading,
    language: Language,
    began: float,
    ended: float,
) -> str:
    """Return the page as HTML.

    Args:
        figures: The complete figures.
        summary: The counts of the wait.
        criteria: The conditions of the wait.
        ending: The end of the wait.
        heading: The heading.
        language: The language of the captions.
        began: When the wait began, in seconds since the epoch.
        ended: When it ended, in seconds since the epoch.
    """
    environment = Environment(
        loader=PackageLoader("airflow_provider_osonsms.delivery.report", "."), autoescape=True
    )
    numbers = read_format(language)
    tracked = summary.total - summary.untracked
    seconds = max([ended - began, 1.0, *figures.delivered_after])
    return environment.get_template("page.html.j2").render(
        words=numbers.words,
        numbers=numbers,
        language=language,
        heading=heading,
        verdict=make_verdict(summary, ending, criteria=criteria, numbers=numbers, ended=ended),
        began=began,
        ended=ended,
        summary=summary,
        tracked=tracked,
        funnel=make_funnel(figures, summary),
        statuses=_make_statuses(summary.by_status, criteria),
        rejects=[(name, count, "bad") for name, count in figures.rejects.most_common()],
        rows=figures.rows,
        parts=figures.parts,
        cost=None if heading.price_per_part is None else heading.price_per_part * figures.parts,
        curve=_draw_curve(figures.delivered_after, total=tracked, seconds=seconds),
        seconds=seconds,
        slowest=sorted(figures.slowest, reverse=True),
        undelivered=figures.undelivered,
        width=_WIDTH,
        height=_HEIGHT,
    )


def make_funnel(figures: Figures, summary: DeliverySummary) -> list[Bar]:
    """Return the steps from audience to delivery; only the last two if a message is in no table."""
    steps = [("accepted", summary.total, ""), ("delivered", summary.delivered, "")]
    if figures.accepted != summary.total:
        return steps
    recipients = figures.rows - figures.outcomes["rejected"]
    return [("audience", figures.rows, ""), ("recipients", recipients, ""), *steps]


def _make_statuses(by_status: Mapping[str, int], criteria: DeliveryCriteria) -> list[Bar]:
    """Return the statuses: delivered, then failed, then those that may still change."""
    kinds = {name: _choose_kind(DeliveryStatus[name], criteria) for name in by_status}
    order = ("", "bad", "wait")
    return [
        (name, by_status[name], kinds[name])
        for name in sorted(by_status, key=lambda name: (order.index(kinds[name]), -by_status[name]))
    ]


def _choose_kind(status: DeliveryStatus, criteria: DeliveryCriteria) -> str:
    return _KINDS[criteria.judge_final(status)]


def _draw_curve(delivered_after: Iterable[float], *, total: int, seconds: float) -> str:
    """Return the points of a step curve: time from left to right, the delivered share upwards."""
    steps = [0] * (_POINTS + 1)
    for after in delivered_after:
        steps[min(_POINTS, max(0, int(after / seconds * _POINTS)))] += 1
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in _list_points(steps, total=total))


def _list_points(steps: Sequence[int], *, total: int) -> Iterable[tuple[float, float]]:
    delivered = 0
    yield 0.0, float(_HEIGHT)
    for step, more in enumerate(steps):
        if more:
            yield _WIDTH * step / _POINTS, _HEIGHT * (1 - delivered / max(total, 1))
            delivered += more
            yield _WIDTH * step / _POINTS, _HEIGHT * (1 - delivered / max(total, 1))
    yield float(_WIDTH), _HEIGHT * (1 - delivered / max(total, 1))
