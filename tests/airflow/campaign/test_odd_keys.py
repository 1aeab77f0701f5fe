"""A damaged key costs its row and nothing else; one key is one message, whatever type it comes as."""

import csv
from decimal import Decimal

import pandas as pd
import pytest

from airflow_provider_osonsms.simulator import Fault
from airflow_provider_osonsms.tables.files import read_table
from airflow_provider_osonsms.tables.rows import RejectRow, ResultRow

PHONES = [f"99290{number:07}" for number in range(50)]


def make_orders(keys):
    """Return a person for each of *keys*."""
    return [{"phone": phone, "name": "N", "order": key} for phone, key in zip(PHONES, keys, strict=False)]


@pytest.mark.parametrize("key", ["\ud800", "a\udfff", "7\r8", "7\r\n8", "7\n8", "\0"], ids=ascii)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_one_damaged_key_costs_one_row(gateway, run_task, make_campaign, tmp_path, *, key, suffix):
    """The others are texted, and the tables of the campaign are read back, with the reason in them."""
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    keys = [f"order-{number}" for number in range(50)]
    keys[20] = key
    results, rejects = tmp_path / f"results{suffix}", tmp_path / f"rejects{suffix}"

    result = run_task(
        make_campaign(
            make_orders(keys), key_column="order", results_path=str(results), rejects_path=str(rejects)
        )
    )

    assert result.state == "success", result.error
    assert sorted(sms.phone for sms in gateway.sent) == PHONES[:20] + PHONES[21:]
    assert result.xcom["rejected"] == {"unfit_key": 1}
    rows = list(read_table(results, kind=ResultRow))
    assert [row.key for row in rows] == [*keys[:20], None, *keys[21:]]
    assert [(row.row, row.outcome, row.reason) for row in rows if row.key is None] == [
        (21, "rejected", "unfit_key")
    ]
    assert [(row.row, row.reason) for row in read_table(rejects, kind=RejectRow)] == [(21, "unfit_key")]
    if suffix == ".csv":
        with results.open(encoding="utf-8", newline="") as file:
            assert {len(row) for row in csv.reader(file, strict=True)} == {len(ResultRow._fields)}


def test_the_next_try_reads_the_table_with_a_damaged_key(
    gateway, run_task, make_campaign, supervisor, tmp_path
):
    """A try that reads that table back texts nobody twice."""
    keys = [f"order-{number}" for number in range(12)]
    keys[3] = "7\r8"
    options = {"key_column": "order", "results_path": str(tmp_path / "results.csv")}
    gateway.inject(Fault.CUT_AFTER, times=2)
    run_task(make_campaign(make_orders(keys), **options))
    supervisor.store.clear()

    result = run_task(make_campaign(make_orders(keys), **options), try_number=2)

    assert result.state == "success", result.error
    assert len(gateway.sent) == len({sms.phone for sms in gateway.sent}) == 11


AS_TYPES = {
    "ints": [17, 18, 19],
    "floats": [17.0, 18.0, 19.0],
    "texts": ["17", "18", "19"],
    "texts of floats": ["17.0", "18.0", "19.0"],
    "decimals": [Decimal("17.00"), Decimal("18.00"), Decimal("19.00")],
    "texts with blanks": [" 17", "18 ", "\u00a019"],
}


@pytest.mark.parametrize("later", AS_TYPES)
def test_another_type_in_the_next_try_texts_nobody_twice(
    gateway, run_task, make_campaign, supervisor, *, later
):
    """A retry whose key column comes with another type makes the same txn_ids."""
    run_task(make_campaign(make_orders(AS_TYPES["ints"]), key_column="order", campaign_id="june"))
    supervisor.store.clear()

    again = make_campaign(make_orders(AS_TYPES[later]), key_column="order", campaign_id="june")
    result = run_task(again, try_number=2)

    assert result.state == "success", result.error
    assert sorted(sms.phone for sms in gateway.sent) == PHONES[:3]


@pytest.mark.parametrize("listed", AS_TYPES)
def test_only_takes_keys_of_any_type(gateway, run_task, make_campaign, listed):
    """A list of keys means the same rows, whatever its type."""
    run_task(make_campaign(make_orders([17.0, 18.0, None, 20.0]), key_column="order", only=AS_TYPES[listed]))

    assert sorted(sms.phone for sms in gateway.sent) == PHONES[:2]


def test_two_contracts_that_are_one_number(gateway, run_task, make_campaign):
    """1.1 and 1.10 may be two people: nobody is texted until somebody has said it."""
    result = run_task(make_campaign(make_orders(["1.1", "1.2", "1.10"]), key_column="order"))

    assert result.state == "failed"
    assert "'order' holds one number in two spellings" in str(result.error)
    assert gateway.sent == []


def test_long_keys_that_have_become_floats(gateway, run_task, make_campaign):
    """One missing key makes pandas read the others as floats, and two customers would be one."""
    frame = pd.DataFrame({"phone": PHONES[:3], "name": "N", "order": [2**53 + 1, 2**53 + 2, None]})

    result = run_task(make_campaign(frame, key_column="order"))

    assert result.state == "failed"
    assert "dtype=str" in str(result.error)
    assert gateway.sent == []
