"""Golden signatures.

The digests were made outside Python, with coreutils:
``printf '%s' '0f1e2d3c4b5a69788796a5b4c3d2e1f0;kitobkhona;KITOB;992900001234;sol-4711' | sha256sum``,
and so on with the fields that each test names. All values are invented.
"""

from airflow_provider_osonsms.protocol import signing

TXN_ID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def test_send() -> None:
    """§2.1 signs txn_id;login;from;phone_number;secret."""
    digest = signing.sign_send(
        txn_id=TXN_ID, login="kitobkhona", sender="KITOB", phone="992900001234", secret="sol-4711"
    )

    assert digest == "b52633ed94ed612ebd6a88891cf01a88dfddb695039453f45e29b6e2dfef2a31"


def test_query() -> None:
    """§3.1 signs login;txn_id;secret: here the login comes first."""
    digest = signing.sign_query(txn_id="nonce-1", login="kitobkhona", secret="sol-4711")

    assert digest == "eb46e3a4b76ef21a13aeada882fbfca13f286f39c6dde809557fea12ee4cd7f9"


def test_balance() -> None:
    """§4.1 signs txn_id;login;secret."""
    digest = signing.sign_balance(txn_id="nonce-1", login="kitobkhona", secret="sol-4711")

    assert digest == "59310bfda4d3b32f47aa4b9b04c3b276c08de3434aa3858004812be558aa885f"


def test_bulk() -> None:
    """§5.1 signs txn_id;login;from;secret, with neither the text nor a phone."""
    digest = signing.sign_bulk(txn_id=TXN_ID, login="kitobkhona", sender="KITOB", secret="sol-4711")

    assert digest == "b71d511438b99a4aa7ca3c37306b3f8359fa72c9ddcca7d1f89e0c9367f9d51e"


def test_fields_are_signed_as_raw_utf_8() -> None:
    """Letters beyond ASCII are signed as UTF-8, never percent-encoded (§1)."""
    digest = signing.sign_send(
        txn_id="номер-7", login="мағоза", sender="КИТОБ", phone="992900001234", secret="соль-é"
    )

    assert digest == "b4d3d211effd5a977926f045993879506a5d00d3fd7e3b5f0d3f3a79b1245018"
