"""The limits of an audience: how many wrong rows and how many recipients a task accepts."""

from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_osonsms.protocol.errors import InvalidMessageError


class OnInvalid(StrEnum):
    """What to do about rows that are wrong themselves."""

    SKIP = "skip"
    FAIL = "fail"


class OnEmpty(StrEnum):
    """What a task does when no recipient is left."""

    SKIP = "skip"
    FAIL = "fail"
    SUCCESS = "success"


class UnfitAudienceError(InvalidMessageError):
    """The audience breaks a limit of the task; this try sent nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits of an audience.

    A row is invalid when it is wrong itself (`RejectReason.is_invalid`); duplicates, suppressed and not
    allowed numbers are left out on purpose.

    Attributes:
        on_invalid: ``fail`` if one invalid row should stop the task.
        max_invalid_ratio: Invalid rows among all rows at most, from 0 to 1; None for no limit.
        max_recipients: Recipients at most; None for no limit.
    """

    on_invalid: OnInvalid = OnInvalid.SKIP
    max_invalid_ratio: float | None = None
    max_recipients: int | None = None

    def check(self, *, recipients: int, invalid: int, rows: int) -> None:
        """Return when the audience is within the limits.

        Args:
            recipients: Rows that would be texted.
            invalid: Rows that are wrong themselves.
            rows: All rows.

        Raises:
            UnfitAudienceError: A limit is broken; or all rows are invalid, which is a wrong column or source.
        """
        if invalid and invalid == rows:
            raise UnfitAudienceError(
                f"all {rows} rows are rejected as invalid: this try sent nothing. Check phone_column and "
                f"the source"
            )
        if invalid and self.on_invalid is OnInvalid.FAIL:
            raise UnfitAudienceError(
                f"{invalid} of {rows} rows are invalid and on_invalid is 'fail': this try sent nothing. "
                f"Correct them, or allow some with max_invalid_ratio instead"
            )
        if self.max_invalid_ratio is not None and invalid > self.max_invalid_ratio * rows:
            raise UnfitAudienceError(
                f"{invalid} of {rows} rows are invalid ({invalid / rows:.1%}) and max_invalid_ratio is "
                f"{self.max_invalid_ratio:.1%}: this try sent nothing. Correct them, or raise the limit"
            )
        if self.max_recipients is not None and recipients > self.max_recipients:
            raise UnfitAudienceError(
                f"the audience has {recipients} recipients and max_recipients is {self.max_recipients}: "
                f"this try sent nothing. Narrow the audience, or raise the limit"
            )
