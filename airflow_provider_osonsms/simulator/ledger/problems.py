"""Explanations of refusals for users, in English and Russian: what was wrong and what to do.

Reference:
    OsonSMS protocol 1.5, §2.3, §3.3, §4.3, §5.3; docs/wire-notes.md "Errors".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final


class Problem(StrEnum):
    """What is wrong with a request."""

    MISSING_FIELDS = auto()
    MISSING_NONCE = auto()
    SENSELESS_PHONE = auto()
    UNKNOWN_CHANNEL = auto()
    UNKNOWN_LOGIN = auto()
    BLOCKED = auto()
    SALT_AS_HASH = auto()
    UPPER_CASE_HASH = auto()
    OTHER_HASH = auto()
    WRONG_HASH = auto()
    WRONG_TOKEN = auto()
    NOT_WHITELISTED = auto()
    FOREIGN_SENDER = auto()
    REPEATED_TXN_ID = auto()
    NO_MONEY = auto()
    UNKNOWN_MSG_ID = auto()
    WRONG_BULK_FIELDS = auto()
    NO_PHONES = auto()
    TOO_FAST = auto()
    FAULT = auto()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of a problem; ``{...}`` is filled with the details of a refusal."""

    reason: str
    advice: str


ENGLISH: Final[Mapping[Problem, Explanation]] = {
    Problem.MISSING_FIELDS: Explanation(
        "{fields} missing",
        "Send all mandatory fields, none empty: in the query string of a GET, or as a form for a bulk job.",
    ),
    Problem.MISSING_NONCE: Explanation(
        "txn_id is missing, and str_hash is made of it",
        "Add a fresh txn_id and hash it, or use a Bearer token.",
    ),
    Problem.SENSELESS_PHONE: Explanation(
        "phone_number is neither 12 digits with 992 nor 9 without",
        "Send 12 digits that begin with 992: no plus, no spaces, no leading zeros.",
    ),
    Problem.UNKNOWN_CHANNEL: Explanation(
        "the channel is not one of §2.1", "Leave channel out for an SMS, or send telegram."
    ),
    Problem.UNKNOWN_LOGIN: Explanation(
        "no account has this login", "Compare the login, capitals too, with the accounts of this simulator."
    ),
    Problem.BLOCKED: Explanation(
        "the account is blocked", "Unblock it in the simulator; at OsonSMS, call your manager."
    ),
    Problem.SALT_AS_HASH: Explanation(
        "the salt itself was sent as str_hash", "Send the lower-case hex SHA-256 of {expected}."
    ),
    Problem.UPPER_CASE_HASH: Explanation(
        "str_hash is the right one in upper case", "Write the hexadecimal digits in lower case."
    ),
    Problem.OTHER_HASH: Explanation(
        "str_hash was made of {made_of}", "Expected is the lower-case hex SHA-256 of {expected}."
    ),
    Problem.WRONG_HASH: Explanation(
        "str_hash is not the hash of the fields as sent",
        "Expected is the lower-case hex SHA-256 of {expected}, values as sent. Compare the salt too.",
    ),
    Problem.WRONG_TOKEN: Explanation(
        "the Bearer token is not the account's", "Compare the token in the Connection's password."
    ),
    Problem.NOT_WHITELISTED: Explanation(
        "{remote} is not white-listed", "Add the address to the account's white list; at OsonSMS, ask for it."
    ),
    Problem.FOREIGN_SENDER: Explanation(
        "the sender does not belong to the account", "Use one of the account's sender names: {senders}."
    ),
    Problem.REPEATED_TXN_ID: Explanation(
        "the txn_id was used before",
        "Nothing was sent again. After a lost answer this proves that the first try arrived; "
        "for another message take another txn_id.",
    ),
    Problem.NO_MONEY: Explanation(
        "the message costs more than is left", "Top up the account; the same txn_id may be used then."
    ),
    Problem.UNKNOWN_MSG_ID: Explanation(
        "unknown msg_id", "Ask with the msg_id of the answer to the send, under the same login."
    ),
    Problem.WRONG_BULK_FIELDS: Explanation("{problems}", "Correct the fields and create the job again."),
    Problem.NO_PHONES: Explanation(
        "No phone numbers found in the file",
        "One number to a line, 12 digits with 992; no header, no quotes.",
    ),
    Problem.TOO_FAST: Explanation(
        "more than {max_rate} requests a second", "Send more slowly: set max_rate in the Connection."
    ),
    Problem.FAULT: Explanation(
        "injected fault: {fault}", "A rule of this simulator asked for it: try again."
    ),
}
RUSSIAN: Final[Mapping[Problem, Explanation]] = {
    Problem.MISSING_FIELDS: Explanation(
        "нет полей: {fields}",
        "Передайте все обязательные поля, непустыми: в строке запроса GET, а для рассылки в форме.",
    ),
    Problem.MISSING_NONCE: Explanation(
        "нет txn_id, а str_hash считается из него",
        "Добавьте новый txn_id и учтите его в хеше, или используйте токен Bearer.",
    ),
    Problem.SENSELESS_PHONE: Explanation(
        "phone_number: ни 12 цифр с 992, ни 9 без него",
        "Передайте 12 цифр, начиная с 992: без плюса, пробелов и нулей впереди.",
    ),
    Problem.UNKNOWN_CHANNEL: Explanation(
        "такого канала в §2.1 нет", "Для SMS не передавайте channel, иначе telegram."
    ),
    Problem.UNKNOWN_LOGIN: Explanation(
        "нет счёта с таким логином", "Сверьте логин (и заглавные буквы) со счетами этого симулятора."
    ),
    Problem.BLOCKED: Explanation(
        "счёт заблокирован", "Разблокируйте его в симуляторе; в OsonSMS обратитесь к менеджеру."
    ),
    Problem.SALT_AS_HASH: Explanation(
        "вместо str_hash передана сама соль", "Передайте SHA-256 (hex, строчными) от {expected}."
    ),
    Problem.UPPER_CASE_HASH: Explanation(
        "str_hash верен, но заглавными буквами", "Пишите шестнадцатеричные цифры строчными."
    ),
    Problem.OTHER_HASH: Explanation(
        "str_hash посчитан от {made_of}", "Нужен SHA-256 (hex, строчными) от {expected}."
    ),
    Problem.WRONG_HASH: Explanation(
        "str_hash не от переданных полей",
        "Нужен SHA-256 (hex, строчными) от {expected}, значения такие же, как в запросе. Сверьте и соль.",
    ),
    Problem.WRONG_TOKEN: Explanation("токен Bearer не этого счёта", "Сверьте токен в пароле Connection."),
    Problem.NOT_WHITELISTED: Explanation(
        "{remote} нет в белом списке", "Добавьте адрес в белый список счёта; в OsonSMS попросите об этом."
    ),
    Problem.FOREIGN_SENDER: Explanation(
        "имя отправителя не этого счёта", "Имена отправителя этого счёта: {senders}."
    ),
    Problem.REPEATED_TXN_ID: Explanation(
        "txn_id уже был использован",
        "Второй раз ничего не отправлено. После потерянного ответа это значит, что первая попытка дошла; "
        "для другого сообщения возьмите другой txn_id.",
    ),
    Problem.NO_MONEY: Explanation(
        "сообщение дороже, чем осталось на счёте", "Пополните счёт; txn_id можно взять тот же."
    ),
    Problem.UNKNOWN_MSG_ID: Explanation(
        "неизвестный msg_id", "Спрашивайте с msg_id из ответа на отправку, с тем же логином."
    ),
    Problem.WRONG_BULK_FIELDS: Explanation("{problems}", "Исправьте поля и создайте рассылку снова."),
    Problem.NO_PHONES: Explanation(
        "в файле нет номеров", "Один номер в строке, 12 цифр с 992; без заголовка и кавычек."
    ),
    Problem.TOO_FAST: Explanation(
        "больше {max_rate} запросов в секунду", "Отправляйте медленнее: max_rate в Connection."
    ),
    Problem.FAULT: Explanation(
        "сбой по правилу: {fault}", "Так велело правило этого симулятора: попробуйте снова."
    ),
}
EXPLANATIONS: Final = {"en": ENGLISH, "ru": RUSSIAN}
