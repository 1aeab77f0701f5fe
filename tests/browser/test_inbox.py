"""The simulator's page in a real browser."""

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is in the environment of the newest Airflow only")

from chromium import Browser, open_browser

from airflow_provider_osonsms.simulator import SimulatedGateway

Send = Callable[..., tuple[int, Any]]


def test_a_newcomer_is_told_what_to_do(page: Browser, gateway: SimulatedGateway) -> None:
    """The empty page shows the command for a Connection to this gateway, without the secret."""
    shown = page.read("#inbox pre")

    *words, connection = shlex.split(shown)
    assert " ".join(words) == "airflow connections add osonsms_default --conn-json"
    expected = json.loads(gateway.connection_json())
    extra = {**expected["extra"], "sender": "BANK"}
    assert json.loads(connection) == {**expected, "password": "SECRET", "extra": extra}
    assert "browser-salt" not in page.value("document.documentElement.outerHTML")


def test_a_message_arrives_without_reload(page: Browser, send: Send) -> None:
    """A message appears with sender, text, parts and channel, and ends as delivered with its history."""
    send("Салом, Зарина!\nФармоиш омода аст.", channel="telegram")

    message = page.read("#inbox article", "DELIVERED")
    assert page.read_all("#inbox article .text") == ["Салом, Зарина!\nФармоиш омода аст."]
    for words in ("SHOP", "→ +992900000101", "1 part", "telegram", "msg_id 100000001"):
        assert words in message
    steps = [step.split()[1] for step in page.read_all("#inbox .history li")]
    assert steps == ["ENROUTE", "ACCEPTED", "DELIVERED"]
    assert page.read("#accounts .balance") == "99.90"
    assert page.value("document.title") == "(1) OsonSMS simulator"


def test_the_newest_is_first_and_a_handset_can_be_chosen(page: Browser, send: Send) -> None:
    """Messages stand newest first; a handset's button shows its messages alone."""
    send("first")
    send("second", phone="992900000102")
    page.wait_for("#inbox article", "second")
    assert page.read_all("#inbox .text") == ["second", "first"]

    page.click("#handsets button", "+992900000101")

    page.wait_for("#handsets [aria-pressed=true]", "+992900000101")
    assert page.read_all("#inbox .text") == ["first"]


def test_a_confidential_text_is_nowhere(page: Browser, send: Send) -> None:
    """The page has no confidential text, neither shown nor in what it was sent, and search cannot find it."""
    send("code 482913", is_confidential="true")

    page.wait_for("#inbox article", "the text is hidden")
    page.wait_for("#search").send_keys("482913")
    page.wait_for("#inbox .empty", "Nothing found")
    assert "482913" not in page.value("document.documentElement.outerHTML")
    page.wait_for("#search").clear()


def test_a_text_is_only_a_text(page: Browser, send: Send) -> None:
    """Markup in a message is shown as it was sent, and is not run."""
    send("<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>")

    assert "<script>" in page.read("#inbox .text")
    assert "owned" not in page.value("document.title")
    assert page.all("#inbox img") == []


def test_search(page: Browser, send: Send) -> None:
    """Search finds words in any case, Cyrillic too, while they are typed."""
    send("Фармоиши шумо омода аст")
    send("Тахфиф 20%", phone="992900000102")
    page.wait_for("#inbox article", "Тахфиф")

    page.wait_for("#search").send_keys("фармоиши ШУМО")

    page.wait_for("#inbox article", "Фармоиши")
    page.wait_until_gone("#inbox article:nth-child(2)")
    page.wait_for("#search").clear()


def test_clear_asks_first(page: Browser, gateway: SimulatedGateway, send: Send) -> None:
    """Clearing empties the page once it is confirmed, and the txn_id stays used."""
    send("Салом", txn_id="once")
    page.wait_for("#inbox article")

    page.click("#clear")
    page.click("#confirm button[value=no]")
    assert len(gateway.sent) == 1
    page.click("#clear")
    page.click("#confirm button[value=yes]")

    page.wait_until_gone("#inbox article")
    assert gateway.sent == []
    assert send("Салом", txn_id="once")[0] == 409


def test_a_refusal_says_what_to_do(page: Browser, gateway: SimulatedGateway) -> None:
    """A refused request is listed with its code, the reason in words and the way out."""
    gateway.backend.balance({"login": "demo", "txn_id": "n-1", "str_hash": "browser-salt"})

    page.click("#tab-refusals", "1")

    refusal = page.read("#refusals article")
    assert "code 106" in refusal
    assert "the salt itself was sent as str_hash" in refusal
    assert "SHA-256 of txn_id;login;pass_salt_hash" in refusal


def test_a_bulk_job_shows_its_numbers(page: Browser, gateway: SimulatedGateway) -> None:
    """A bulk job is listed with its text, send_at, and how many and which numbers it has."""
    fields = {"from": "SHOP", "msg": "Тахфиф!", "login": "demo", "txn_id": "b-1"}
    file = b"".join(b"9929000001%02d\n" % number for number in range(23))
    gateway.backend.create_bulk(
        {**fields, "send_at": "2026-11-25 10:30:00"}, file, authorization="Bearer browser-salt"
    )

    page.click("#tab-bulks", "1")

    job = page.read("#bulks article")
    for words in ("bulk-1", "Тахфиф!", "Nov 25, 2026, 10:30", "23 numbers", "+992900000119", "and 3 more"):
        assert words in job
    assert "+992900000120" not in job


def test_russian(page: Browser, gateway: SimulatedGateway) -> None:
    """The page speaks Russian when asked to, also about refusals, and remembers it."""
    gateway.backend.balance({"login": "nobody", "txn_id": "n-1", "str_hash": "x"})
    page.click("#language")
    page.click("#tab-refusals", "Отказы")

    assert "нет счёта с таким логином" in page.read("#refusals article")
    page.get(gateway.url).wait_for("#tab-messages", "Сообщения")
    assert page.value("document.documentElement.lang") == "ru"


def test_it_comes_back_when_the_gateway_does(page: Browser, gateway: SimulatedGateway, send: Send) -> None:
    """A gateway that was restarted on its port is live again by itself."""
    gateway.stop()
    page.wait_for("#live.lost")
    with gateway:
        page.wait_for("#live.live")
        send("back again")
        page.wait_for("#inbox article", "back again")
    page.errors()  # while it was away, the browser has complained


@pytest.mark.parametrize(
    ("scheme", "expected"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(24, 33, 30)")]
)
def test_light_and_dark_on_a_phone(
    browser: Browser, gateway: SimulatedGateway, send: Send, scheme: str, expected: str
) -> None:
    """The page follows the system's colors, and on a narrow screen nothing sticks out."""
    del browser  # skips where there is none
    send("Салом " + "🚚" * 40 + " " + "x" * 120)
    with open_browser(size=(390, 844), scheme=scheme) as phone:
        phone.get(gateway.url).wait_for("#inbox article")
        assert phone.value("getComputedStyle(document.querySelector('header')).backgroundColor") == expected
        assert phone.value("document.documentElement.scrollWidth") <= 390
