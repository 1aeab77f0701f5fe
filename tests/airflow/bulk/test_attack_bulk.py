"""No change of names and no full disk creates a bulk job twice, or leaves a doubt that is none."""

import pytest

from airflow_provider_osonsms.bulk.receipts import Receipts


@pytest.mark.parametrize("changed", ["key_namespace", "campaign_id"])
def test_changed_names_create_no_job_again(
    gateway, run_task, make_operator, *, monkeypatch, has_state_store, changed
):
    """After a change of what the txn_ids are made of, a Clear is refused: all would be texted again."""
    run_task(make_operator(campaign_id="sale"))
    if changed == "key_namespace":
        connection = gateway.connection_json(timeout=1, key_namespace="other")
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", connection)

    again = make_operator(campaign_id="sale" if changed == "key_namespace" else "sales")
    result = run_task(again, try_number=2)

    assert (result.state, len(gateway.bulks)) == ("failed", 1)
    if has_state_store:
        assert "key_namespace" in str(result.error)


def test_names_may_change_while_no_job_exists(gateway, run_task, make_operator, has_state_store):
    """A job that was refused holds no name."""
    gateway.backend.change_account("demo", is_blocked=True)
    assert run_task(make_operator(campaign_id="sale")).state == "failed"
    gateway.backend.change_account("demo", is_blocked=False)

    result = run_task(make_operator(campaign_id="sales"), try_number=2 if has_state_store else 1)

    assert (result.state, len(gateway.bulks)) == ("success", 1)


def test_a_receipt_that_cannot_be_written(
    gateway, run_task, make_operator, *, tmp_path, monkeypatch, has_state_store
):
    """A full disk before the upload is told in a sentence, and leaves no job in doubt."""

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device", "/a/path")

    with monkeypatch.context() as patch:
        patch.setattr(Receipts, "write", fail)
        first = run_task(make_operator(receipt_path=str(tmp_path)))
    assert (first.state, gateway.bulks) == ("up_for_retry", [])
    assert "receipt_path" in str(first.error)
    assert "/a/path" not in str(first.error)

    if has_state_store:
        second = run_task(make_operator(receipt_path=str(tmp_path)), try_number=2)
        assert (second.state, len(gateway.bulks)) == ("success", 1)
