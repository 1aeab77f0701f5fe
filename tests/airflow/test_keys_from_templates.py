"""Keys and names that native rendering changes, and keys that mapped tasks share: nobody is left out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_osonsms.operators.osonsms import (
    OsonSmsBulkCreateOperator,
    OsonSmsCampaignOperator,
    OsonSmsCampaignPreviewOperator,
    OsonSmsSendOperator,
)
from airflow_provider_osonsms.protocol.models import Outcome

A, B = "992900000001", "992900000002"
PEOPLE = [{"phone": A}, {"phone": B}]
IN_LANGUAGES: Any = {
    "recipients": [{"phone": A, "a": "tg", "b": "ru", "c": "uz"}],
    "message": {"tg": "One", "ru": "Two"},
}


@pytest.fixture
def in_native_dag(in_dag):
    """Make an operator of a class in a DAG with native rendering."""

    def make(kind: Any, params: dict[str, Any], **options: Any) -> Any:
        return in_dag(
            lambda: kind(task_id="send", retries=5, **options),
            params=params,
            render_template_as_native_obj=True,
        )

    return make


def list_texts(gateway: Any) -> list[tuple[str, str]]:
    """List who got what."""
    return sorted((message.phone, message.text) for message in gateway.sent)


@pytest.mark.parametrize("invoice", ["12_34", "1_234", "12e4", "None", "{'a': 1}", "1,5", "True"])
def test_a_txn_id_that_lost_its_text(gateway, run_task, in_native_dag, invoice):
    """Two invoices would become one number, and the second customer would never be texted: it is refused."""
    result = run_task(
        in_native_dag(OsonSmsSendOperator, {"i": invoice}, phone=A, message="S", txn_id="{{ params.i }}")
    )

    assert (result.state, gateway.sent) == ("failed", [])
    assert str(result.error).startswith("txn_id ")


def test_quotes_keep_a_key_as_it_is(gateway, run_task, in_native_dag):
    """What the error says to do works: both customers are texted, each under the own key."""
    for invoice, phone in (("12_34", A), ("1_234", B)):
        task = in_native_dag(
            OsonSmsSendOperator, {"i": invoice}, phone=phone, message="S", txn_id="'{{ params.i }}'"
        )
        assert run_task(task).xcom["outcome"] == Outcome.ACCEPTED

    assert {(message.txn_id, message.phone) for message in gateway.sent} == {("12_34", A), ("1_234", B)}


@pytest.mark.parametrize("value", ["12_34", "1e5", "[1]"])
@pytest.mark.parametrize("name", ["campaign_id", "sender", "key_column", "phone_column", "osonsms_conn_id"])
def test_a_name_of_a_campaign_that_lost_its_text(gateway, run_task, in_native_dag, *, name, value):
    """The same for every name: a campaign of another month, a sender, a column, a Connection."""
    options = {"recipients": PEOPLE, "message": "S", name: "{{ params.v }}"}
    result = run_task(in_native_dag(OsonSmsCampaignOperator, {"v": value}, **options))

    assert (result.state, gateway.sent) == ("failed", [])
    assert str(result.error).startswith(f"{name} was rendered to ")


@pytest.mark.parametrize("name", ["campaign_id", "sender"])
def test_a_name_of_a_bulk_job_that_lost_its_text(gateway, run_task, in_native_dag, name):
    """A bulk job keeps its names, too."""
    send_at = datetime(2036, 1, 1, tzinfo=UTC)
    options = {"recipients": [A], "message": "S", "send_at": send_at, name: "{{ params.v }}"}
    result = run_task(in_native_dag(OsonSmsBulkCreateOperator, {"v": "12_34"}, **options))

    assert (result.state, gateway.bulks) == ("failed", [])
    assert str(result.error).startswith(f"{name} was rendered to an int")


@pytest.mark.parametrize("given", [12, "12"])
def test_a_number_in_python_is_the_key_it_was(gateway, run_task, given):
    """Nothing is lost of a whole number that somebody wrote, or that a task returned."""
    run_task(OsonSmsSendOperator(task_id="send", phone=A, message="S", txn_id=given))

    assert [message.txn_id for message in gateway.sent] == ["12"]


@pytest.mark.parametrize("phone", [A, int(A), f"+{A}", A[3:]])
def test_a_phone_of_digits_may_become_a_number(gateway, run_task, in_native_dag, phone):
    """A number has all digits of a phone, so native rendering loses nothing."""
    task = in_native_dag(OsonSmsSendOperator, {"p": phone}, phone="{{ params.p }}", message="S")

    assert run_task(task).state == "success"
    assert list_texts(gateway) == [(A, "S")]


@pytest.mark.parametrize("phone", ["9.92928E+11", "992900000001.0", "None", "[992900000001]"])
def test_a_phone_that_has_lost_digits(gateway, run_task, in_native_dag, phone):
    """Excel's 9.92928E+11 is rendered to 992928000000.0, which is the phone of somebody else."""
    task = in_native_dag(OsonSmsSendOperator, {"p": phone}, phone="{{ params.p }}", message="S")

    assert run_task(task).state == "failed"
    assert gateway.sent == []


@pytest.mark.parametrize("text", ["4321", "1_2", "None", "['Salom']"])
def test_a_text_that_lost_its_form(gateway, run_task, in_native_dag, text):
    """A text that native rendering makes something else of is not texted."""
    for kind in (OsonSmsSendOperator, OsonSmsCampaignOperator):
        people = {"phone": A} if kind is OsonSmsSendOperator else {"recipients": PEOPLE}
        result = run_task(in_native_dag(kind, {"t": text}, message="{{ params.t }}", **people))
        assert result.state == "failed"

    assert gateway.sent == []


def test_mapped_texts_without_a_campaign_id(gateway, run_task, in_dag):
    """A second text for the same people would reach nobody, so the first is refused, with both ways out."""
    task = in_dag(
        lambda: OsonSmsCampaignOperator.partial(task_id="send", recipients=PEOPLE).expand(message=["A", "B"])
    )

    results = [run_task(task, map_index=index) for index in range(2)]

    assert {result.state for result in results} == {"failed"}
    assert gateway.requests["send"] == 0
    words = str(results[0].error)
    assert "one name for all tasks" in words
    assert "{{ ti.map_index }}" in words


def test_both_ways_out(gateway, run_task, in_dag):
    """Parts of an audience share a campaign_id, texts of their own have one each."""
    parts = in_dag(
        lambda: OsonSmsCampaignOperator.partial(
            task_id="parts", message="Part", campaign_id="debt-{{ run_id }}"
        ).expand(recipients=[[A], [A, B]])
    )
    texts = in_dag(
        lambda: OsonSmsCampaignOperator.partial(
            task_id="texts", recipients=PEOPLE, campaign_id="{{ run_id }}-{{ ti.map_index }}"
        ).expand(message=["One", "Two"])
    )

    for task in (parts, texts):
        assert {run_task(task, map_index=index).state for index in range(2)} == {"success"}

    assert list_texts(gateway) == [(phone, text) for phone in (A, B) for text in ("One", "Part", "Two")]


@pytest.mark.parametrize(
    ("partial", "mapped"),
    [
        ({"recipients": PEOPLE}, {"message": ["One", "Two"]}),
        ({}, {"message": ["One", "Two"], "recipients": [[A], [B]]}),
        ({"recipients": [{"phone": A, "a": "1", "b": "2"}]}, {"message_column": ["a", "b"]}),
        (IN_LANGUAGES, {"language_column": ["a", "b"]}),
        ({**IN_LANGUAGES, "language_column": "c"}, {"default_language": ["tg", "ru"]}),
        ({"recipients": PEOPLE, "message": "Салом"}, {"transliterate": [True, False]}),
        ({"recipients": PEOPLE, "message": "Салом"}, {"sender": ["SHOP", "BANK"]}),
        ({"recipients": PEOPLE, "message": "{due}"}, {"timezone": ["Asia/Dushanbe", "UTC"]}),
    ],
)
@pytest.mark.parametrize("name", ["spring", "{{ run_id }}", "{{ dag.dag_id }}-{{ params.month }}"])
def test_one_campaign_id_for_texts_of_their_own(gateway, run_task, in_dag, *, partial, mapped, name):
    """The wrong way out is refused, too: under one campaign_id the second text would reach nobody."""
    task = in_dag(
        lambda: OsonSmsCampaignOperator.partial(task_id="send", campaign_id=name, **partial).expand(**mapped),
        params={"month": "May"},
    )

    result = run_task(task, map_index=1)

    assert (result.state, gateway.sent) == ("failed", [])
    assert "put {{ ti.map_index }} in campaign_id" in str(result.error)


@pytest.mark.parametrize(
    ("partial", "mapped"),
    [
        ({"message": "Part {{ ti.map_index }}"}, {"recipients": [[A], [B]]}),
        ({"recipients": "{folder}/{{{{ ti.map_index }}}}.csv"}, {"message": ["Part 0", "Part 1"]}),
        ({"recipients": ["{folder}/{{{{ ti.map_index }}}}.csv"]}, {"message": ["Part 0", "Part 1"]}),
        (
            {"recipients": lambda context, **_: [[A], [B]][context["ti"].map_index]},
            {"message": ["Part 0", "Part 1"]},
        ),
    ],
)
def test_parts_that_may_have_texts_of_their_own(gateway, run_task, in_dag, *, partial, mapped, tmp_path):
    """Only what is surely wrong is refused: parts may be named by the index, and texts as well."""
    for index, phone in enumerate((A, B)):
        (tmp_path / f"{index}.csv").write_text(f"phone\n{phone}\n")
    if isinstance(source := partial.get("recipients"), str | list):
        paths = [path.format(folder=tmp_path) for path in ([source] if isinstance(source, str) else source)]
        partial = {"recipients": paths[0] if isinstance(source, str) else paths}
    task = in_dag(
        lambda: OsonSmsCampaignOperator.partial(task_id="send", campaign_id="spring", **partial).expand(
            **mapped
        )
    )

    assert {run_task(task, map_index=index).state for index in range(2)} == {"success"}
    assert list_texts(gateway) == [(A, "Part 0"), (B, "Part 1")]


def test_a_text_for_each_part(gateway, run_task, in_dag):
    """Parts with a text of their own, such as one for each language, share a campaign_id rightly."""
    task = in_dag(
        lambda: OsonSmsCampaignOperator.partial(task_id="send", campaign_id="spring").expand_kwargs(
            [{"message": "One", "recipients": [A]}, {"message": "Two", "recipients": [B]}]
        )
    )

    assert {run_task(task, map_index=index).state for index in range(2)} == {"success"}
    assert list_texts(gateway) == [(A, "One"), (B, "Two")]


def test_a_mapped_task_group(gateway, run_task, in_dag, monkeypatch):
    """A task of a mapped group is a mapped task: a campaign needs a name, a fixed txn_id is refused."""
    from airflow.sdk import task_group
    from airflow.sdk.definitions._internal.contextmanager import DagContext
    from airflow.sdk.definitions._internal.expandinput import MappedArgument

    monkeypatch.setattr(MappedArgument, "resolve", lambda *_: "One")  # it asks a database for the index

    def build() -> Any:
        @task_group
        def group(text: str) -> None:
            OsonSmsCampaignOperator(task_id="unnamed", recipients=PEOPLE, message=text)
            OsonSmsCampaignOperator(task_id="named", recipients=PEOPLE, message=text, campaign_id="spring")
            languages = {"tg": text, "ru": "Привет"}
            OsonSmsCampaignOperator(
                task_id="languages",
                recipients=[{"phone": A, "a": "tg"}],
                message=languages,
                language_column="a",
                campaign_id="spring",
            )
            OsonSmsSendOperator(task_id="send", phone=A, message=text, txn_id="invoice")

        group.expand(text=["One", "Two"])
        return DagContext.get_current_dag()

    dag = in_dag(build)
    results = {task.task_id: run_task(task, map_index=0) for task in dag.tasks}

    assert {result.state for result in results.values()} == {"failed"}
    assert "needs a campaign_id" in str(results["group.unnamed"].error)
    assert "put {{ ti.map_index }} in campaign_id" in str(results["group.named"].error)
    assert "put {{ ti.map_index }} in campaign_id" in str(results["group.languages"].error)
    assert "share one txn_id" in str(results["group.send"].error)
    assert gateway.sent == []


def test_mapped_single_messages(gateway, run_task, in_dag):
    """Each mapped message has a key of its own: other phones, and another text for the same phone."""
    for name, mapped in (("phones", {"phone": [A, B]}), ("texts", {"message": ["One", "Two"]})):
        options = {"phone": A, "message": "Salom"}
        partial = {key: value for key, value in options.items() if key not in mapped}
        task = in_dag(
            lambda n=name, p=partial, m=mapped: OsonSmsSendOperator.partial(task_id=n, **p).expand(**m)
        )
        for try_number in (1, 2):
            for index in range(2):
                assert run_task(task, map_index=index, try_number=try_number).state == "success"

    assert list_texts(gateway) == [(A, "One"), (A, "Salom"), (A, "Two"), (B, "Salom")]


@pytest.mark.parametrize("txn_id", ["invoice", "invoice-{{ run_id }}", "{{ ds }}-{{ params.x }}"])
def test_mapped_single_messages_with_one_txn_id(gateway, run_task, in_dag, txn_id):
    """A txn_id is sent once, so with one for all only the first of the mapped messages would be sent."""
    task = in_dag(
        lambda: OsonSmsSendOperator.partial(task_id="send", message="S", txn_id=txn_id).expand(phone=[A, B]),
        params={"x": "1"},
    )

    results = [run_task(task, map_index=index) for index in range(2)]

    assert {result.state for result in results} == {"failed"}
    assert gateway.sent == []
    assert "the mapped tasks share one txn_id" in str(results[0].error)


@pytest.mark.parametrize("txn_id", ["invoice-{{ ti.map_index }}", "to-{{ task.message }}"])
def test_mapped_single_messages_with_txn_ids_of_their_own(gateway, run_task, in_dag, txn_id):
    """A txn_id with the index, or with a mapped value, names each message."""
    templated = in_dag(
        lambda: OsonSmsSendOperator.partial(task_id="send", phone=A, txn_id=txn_id).expand(message=["1", "2"])
    )
    mapped = in_dag(
        lambda: OsonSmsSendOperator.partial(task_id="other", message="S").expand_kwargs(
            [{"phone": A, "txn_id": "a"}, {"phone": B, "txn_id": "b"}]
        )
    )

    for task in (templated, mapped):
        assert {run_task(task, map_index=index).state for index in range(2)} == {"success"}

    assert list_texts(gateway) == [(A, "1"), (A, "2"), (A, "S"), (B, "S")]


def test_mapped_bulk_jobs_and_previews(gateway, run_task, in_dag):
    """The index is part of a bulk job's key, so each text is uploaded, also under one campaign_id."""
    send_at = datetime(2036, 1, 1, tzinfo=UTC)
    for campaign_id in (None, "spring"):
        task = in_dag(
            lambda name=campaign_id: OsonSmsBulkCreateOperator.partial(
                task_id=f"bulk-{name}", recipients=[A], send_at=send_at, campaign_id=name
            ).expand(message=["One", "Two"])
        )
        assert {run_task(task, map_index=index).state for index in range(2)} == {"success"}
    preview = in_dag(
        lambda: OsonSmsCampaignPreviewOperator.partial(task_id="preview", recipients=[A]).expand(
            message=["One"]
        )
    )

    assert run_task(preview, map_index=0).state == "success"
    assert sorted(job.text for job in gateway.bulks) == ["One", "One", "Two", "Two"]
