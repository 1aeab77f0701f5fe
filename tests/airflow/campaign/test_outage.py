"""A state store that is away for a while, as the task sees it."""

from collections import Counter

import pytest

from airflow_provider_osonsms.campaign import journal as journals


@pytest.mark.parametrize("failing", [range(3, 6), range(5, 8)], ids=["early", "later"])
def test_all_msg_ids_are_known_after_an_outage(
    gateway, run_task, make_campaign, *, supervisor, has_state_store, monkeypatch, failing
):
    """220 of 220 msg_ids are known to a Clear, though some writings in the middle or at the end failed."""
    if not has_state_store:
        pytest.skip("no journal below Airflow 3.3")
    monkeypatch.setattr(journals, "ENTRIES_PER_FLUSH", 20)
    monkeypatch.setattr(journals, "PAUSES_FOR_BACKENDS", (0.01,) * 3)
    original, writes = type(supervisor).send, []

    def fail(self, msg):
        if type(msg).__name__ == "SetTaskStateStore":
            writes.append(msg.key)
            if len(writes) in failing:  # the first two say that it has started
                raise OSError("the API server is away")
        return original(self, msg)

    with monkeypatch.context() as patch:
        patch.setattr(type(supervisor), "send", fail)
        assert run_task(make_campaign(220)).state == "success"
    asked = gateway.requests["send"]

    cleared = run_task(make_campaign(220), try_number=2)

    assert len(writes) >= 4
    assert gateway.requests["send"] == asked
    msg_ids = {message["msg_id"] for message in cleared.xcom["messages"]}
    assert msg_ids == {str(sms.msg_id) for sms in gateway.sent}
    assert Counter(Counter(sms.phone for sms in gateway.sent).values()) == {1: 220}
