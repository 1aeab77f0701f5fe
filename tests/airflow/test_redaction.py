"""What Airflow stores and shows of a source of people: a path or a number, never what is in it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignPreviewOperator

PHONE = "992900000101"
PEOPLE = [PHONE, "992900000102"]


@pytest.fixture
def show(run_task, gateway):
    """Run a preview, and return what Airflow stores of its recipients."""

    def show(recipients, **options):
        from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

        operator = OsonSmsCampaignPreviewOperator(
            task_id="t", recipients=recipients, message="Салом", **options
        )
        result = run_task(operator)
        stored = _serialize_rendered_fields(result.ti.task)
        assert not [phone for phone in PEOPLE if phone in json.dumps(stored)]
        return stored

    return show


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda _: PEOPLE, "<2 recipients>"),
        (lambda _: [{"phone": phone} for phone in PEOPLE], "<2 recipients>"),
        (lambda _: pd.DataFrame({"phone": PEOPLE}), "<2 recipients>"),
        (str, "<{file}>"),
        (lambda file: file, "<{file}>"),
        (lambda file: f"{file.parent}/{{{{ 'people' }}}}.csv", "<{file}>"),
        (lambda file: lambda **_: file, "<{file}>"),
        (lambda file: [file, file], "<{file}, {file}>"),
        (lambda _: PHONE, "<1 recipients>"),
        (lambda _: "s3://key:secret@bucket/folder/people.csv", "<people.csv>"),
    ],
)
def test_a_path_or_a_number(make, shown, show, tmp_path):
    """A path is shown, a URL by its last part, and of everything else how many entries it has."""
    file = Path(tmp_path) / "people.csv"
    file.write_text("phone\n" + "\n".join(PEOPLE) + "\n")

    assert show(make(file))["recipients"] == shown.format(file=file)


def test_the_other_lists_too(show, tmp_path):
    """The lists of whom not to text, and of whom alone, are shown in the same way."""
    path = str(tmp_path / "unsubscribed.csv")
    Path(path).write_text(f"phone\n{PHONE}\n")

    stored = show(PEOPLE, exclude=path, only=PEOPLE)

    assert (stored["exclude"], stored["only"]) == (f"<{path}>", "<2 only>")
