"""The page of the report: one HTML file that needs no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from jinja2 import Environment, PackageLoader

from airflow_provider_osonsms.delivery.report.figures import Figures
from airflow_provider_osonsms.delivery.report.words import Language, read_words
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

_POINTS: Final = 120
_WIDTH: Final = 600
_HEIGHT: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What the page is about.

    Attributes:
        task: Names the task: dag, run and task.
        campaigns: Ids of the campaigns.
        price_per_part: In somoni; None when unknown.
    """

    task: str
    campaigns: tuple[str, ...] = ()
    price_per_part: Decimal | None = None


def render_page(
    figures: Figures,
    summary: dict[str, Any],
    *,
    heading: Heading,
    language: Language,
    began: float,
    ended: float,
) -> str:
    """Write the page.

    Args:
        figures: Complete.
        summary: Of the watch.
        heading: What it is about.
        language: Of the captions.
        began: When the watch began, in seconds since the epoch.
        ended: When it ended.
    """
    environment = Environment(
        loader=PackageLoader("airflow_provider_osonsms.delivery.report", "."), autoescape=True
    )
    cost = None if heading.price_per_part is None else heading.price_per_part * figures.parts
    return environment.get_template("page.html.j2").render(
        words=read_words(language),
        language=language,
        heading=heading,
        began=_print_time(began),
        ended=_print_time(ended),
        funnel=make_funnel(figures, summary),
        summary=summary,
        rejects=figures.rejects.most_common(),
        parts=figures.parts,
        cost=cost,
        curve=_draw_curve(figures.delivered_after, total=summary["total"], seconds=ended - began),
        minutes=max(1, round((ended - began) / 60)),
        slowest=sorted(figures.slowest, reverse=True),
        undelivered=figures.undelivered,
        size=(_WIDTH, _HEIGHT),
    )


def make_funnel(figures: Figures, summary: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the steps from the audience to delivery; unless tables hold all, only the last two are known."""
    steps = [("accepted", summary["total"]), ("delivered", summary["delivered"])]
    if figures.accepted != summary["total"]:  # some messages stand in no table
        return steps
    recipients = figures.rows - figures.outcomes["rejected"]
    return [("audience", figures.rows), ("recipients", recipients), *steps]


def _draw_curve(delivered_after: Sequence[float], *, total: int, seconds: float) -> str:
    """Return the points of a line: left to right the time, upwards the share of delivered messages."""
    length = max(seconds, 1.0)
    steps = [0] * (_POINTS + 1)
    for after in delivered_after:
        steps[min(_POINTS, max(0, int(after / length * _POINTS)) + 1)] += 1
    points, delivered = [], 0
    for step, more in enumerate(steps):
        delivered += more
        height = _HEIGHT * (1 - delivered / max(total, 1))
        points.append(f"{_WIDTH * step / _POINTS:.1f},{height:.1f}")
    return " ".join(points)


def _print_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(TAJIK_TIME).strftime("%Y-%m-%d %H:%M:%S")
