"""How the four requests are signed.

Each signature is the lower-case hex SHA-256 of UTF-8 fields joined by ``;``, raw and exactly as sent. The
order of the fields differs from call to call, and the secret is always last:

=========  ==================================================  =======
call       fields                                              section
=========  ==================================================  =======
send       txn_id ; login ; from ; phone_number ; secret       §2.1
query      login ; txn_id ; secret                             §3.1
balance    txn_id ; login ; secret                             §4.1
bulk       txn_id ; login ; from ; secret                      §5.1
=========  ==================================================  =======
"""

from hashlib import sha256

from airflow_provider_osonsms.protocol.vocabulary import HASH_SEPARATOR


def sign_send(*, txn_id: str, login: str, sender: str, phone: str, secret: str) -> str:
    """Sign a message to one phone.

    Reference:
        OsonSMS protocol 1.5, §2.1.
    """
    return _digest(txn_id, login, sender, phone, secret)


def sign_query(*, txn_id: str, login: str, secret: str) -> str:
    """Sign a status query; here the login comes first.

    Reference:
        OsonSMS protocol 1.5, §3.1.
    """
    return _digest(login, txn_id, secret)


def sign_balance(*, txn_id: str, login: str, secret: str) -> str:
    """Sign a balance query.

    Reference:
        OsonSMS protocol 1.5, §4.1.
    """
    return _digest(txn_id, login, secret)


def sign_bulk(*, txn_id: str, login: str, sender: str, secret: str) -> str:
    """Sign a bulk job; neither the text nor the file is signed.

    Reference:
        OsonSMS protocol 1.5, §5.1.
    """
    return _digest(txn_id, login, sender, secret)


def _digest(*fields: str) -> str:
    return sha256(HASH_SEPARATOR.join(fields).encode()).hexdigest()
