"""What a task does about rows that cannot be texted, and about an audience of nobody or of too many."""

from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_osonsms.protocol.errors import InvalidMessageError


class OnInvalid(StrEnum):
    """What to do about rows that are wrong."""

    SKIP = "skip"
    FAIL = "fail"


class OnEmpty(StrEnum):
    """What a task does when there is nobody to text."""

    SKIP = "skip"
    FAIL = "fail"
    SUCCESS = "success"


class UnfitAudienceError(InvalidMessageError):
    """The audience breaks a limit of the task; nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits of a task.

    A row is invalid when it is wrong itself; duplicates, suppressed and not allowed numbers are not.

    Attributes:
        on_invalid: ``fail`` when a single invalid row should stop the task.
        max_invalid_ratio: Invalid rows among all rows at most, from 0 to 1; None for no limit.
        max_recipients: Recipients at most; None for no limit.
        on_empty: What to do when nobody is left.
    """

    on_invalid: OnInvalid = OnInvalid.SKIP
    max_invalid_ratio: float | None = None
    max_recipients: int | None = None
    on_empty: OnEmpty = OnEmpty.SKIP

    def check(self, *, recipients: int, invalid: int, rows: int) -> None:
        """Let an audience pass.

        Args:
            recipients: Rows that would be texted.
            invalid: Rows that are wrong.
            rows: All rows.

        Raises:
            UnfitAudienceError: A limit is broken, or all rows are invalid, which no source means to be.
        """
        if invalid and invalid == rows:
            raise UnfitAudienceError(f"every one of {rows} rows is rejected as invalid: nothing was sent")
        if invalid and self.on_invalid is OnInvalid.FAIL:
            raise UnfitAudienceError(
                f"{invalid} of {rows} rows are invalid and on_invalid is 'fail': nothing was sent. Correct "
                f"them, or allow some with max_invalid_ratio instead"
            )
        if self.max_invalid_ratio is not None and invalid > self.max_invalid_ratio * rows:
            raise UnfitAudienceError(
                f"{invalid} of {rows} rows are invalid ({invalid / rows:.1%}) and max_invalid_ratio is "
                f"{self.max_invalid_ratio:.1%}: nothing was sent. Correct them, or raise the limit"
            )
        if self.max_recipients is not None and recipients > self.max_recipients:
            raise UnfitAudienceError(
                f"the audience has {recipients} recipients and max_recipients is {self.max_recipients}: "
                f"nothing was sent. Narrow the audience, or raise the limit"
            )
