"""The captions of the page in English, Russian and Tajik."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """The languages of the page."""

    ENGLISH = "en"
    RUSSIAN = "ru"
    TAJIK = "tg"


_WORDS: Final = {
    "title": ("Delivery report", "Отчёт о доставке", "Ҳисобот дар бораи расонидан"),
    "verdict": (
        "{share} of {total} messages delivered, {asked} asked for: {result}",
        "Доставлено {share} из {total}, требовалось {asked}: {result}",
        "Аз {total} паём {share} расонида шуд, {asked} талаб шуда буд: {result}",
    ),
    "verdict_reached": ("reached", "достигнуто", "ба даст омад"),
    "verdict_not_reached": ("not reached", "не достигнуто", "ба даст наомад"),
    "verdict_unknown": ("no verdict", "вывода нет", "хулоса нест"),
    "ended_all": (
        "Every message has a final status.",
        "У каждого сообщения окончательный статус.",
        "Ҳар як паём ҳолати ниҳоӣ дорад.",
    ),
    "ended_deadline": (
        "The deadline came first. Without a final status: {pending}.",
        "Срок ожидания вышел раньше. Без окончательного статуса: {pending}.",
        "Мӯҳлати интизорӣ пештар гузашт. Бе ҳолати ниҳоӣ: {pending}.",
    ),
    "ended_early": (
        "The deadline had not come: the others could not change this. Without a final status: {pending}.",
        "Срок не вышел: остальные уже ничего не изменили бы. Без окончательного статуса: {pending}.",
        "Мӯҳлат нагузашта буд: дигарон инро тағйир дода наметавонистанд. Бе ҳолати ниҳоӣ: {pending}.",
    ),
    "ended_error": (
        "An error has ended the wait: the log of the task says which.",
        "Ожидание прервано ошибкой: какой именно, сказано в журнале задачи.",
        "Интизорӣ бо хато қатъ шуд: сабаб дар журнали вазифа навишта шудааст.",
    ),
    "ended_account": (
        "The gateway does not know many of these messages. Did this account send them?",
        "Многие из этих сообщений шлюзу неизвестны. Их отправила эта учётная запись?",
        "Бисёре аз ин паёмҳо ба шлюз номаълуманд. Оё онҳоро ҳамин ҳисоб фиристодааст?",
    ),
    "of": ("{count} of {total}", "{count} из {total}", "{count} аз {total}"),
    "all_in": (
        "The others are in the table {table} beside this page.",
        "Остальные — в таблице {table} рядом с этой страницей.",
        "Боқимонда дар ҷадвали {table} дар паҳлуи ин саҳифа.",
    ),
    "base_audience": (
        "Percentages of the audience: {total}",
        "Проценты от аудитории: {total}",
        "Фоизҳо аз аудитория: {total}",
    ),
    "base_accepted": (
        "Percentages of the accepted messages: {total}",
        "Проценты от принятых сообщений: {total}",
        "Фоизҳо аз паёмҳои қабулшуда: {total}",
    ),
    "base_messages": (
        "Percentages of the messages that can be tracked: {total}",
        "Проценты от сообщений, которые можно отследить: {total}",
        "Фоизҳо аз паёмҳое, ки пайгирӣ мешаванд: {total}",
    ),
    "campaign": ("Campaign", "Рассылка", "Маъракаи паёмҳо"),
    "period": ("Period", "Наблюдение", "Мушоҳида"),
    "funnel": ("From audience to delivery", "От аудитории до доставки", "Аз аудитория то расонидан"),
    "audience": ("Audience", "Аудитория", "Аудитория"),
    "recipients": ("Recipients", "Получатели", "Гирандагон"),
    "accepted": ("Accepted by the gateway", "Приняты шлюзом", "Аз ҷониби шлюз қабулшуда"),
    "delivered": ("Delivered", "Доставлено", "Расонида шуд"),
    "failed": ("Failed", "Не доставлено", "Нарасид"),
    "pending": ("Pending", "В ожидании", "Дар интизорӣ"),
    "untracked": ("Cannot be tracked", "Нельзя отследить", "Пайгирӣ намешавад"),
    "statuses": ("Statuses", "Статусы", "Ҳолатҳо"),
    "curve": ("Delivered over time", "Доставка по времени", "Расонидан бо гузашти вақт"),
    "rejects": ("Not accepted, by reason", "Не приняты, по причинам", "Қабулнашуда, аз рӯйи сабаб"),
    "parts": ("Billed parts", "Тарифицировано частей", "Қисмҳои ҳисобшуда"),
    "cost": ("somoni", "сомони", "сомонӣ"),
    "slowest": ("Slowest deliveries", "Самые медленные доставки", "Расонидани сусттарин"),
    "undelivered": ("Not delivered", "Не доставлены", "Расонида нашудааст"),
    "phone": ("Phone", "Телефон", "Телефон"),
    "msg_id": ("Message id", "№ сообщения", "№ паём"),
    "status": ("Status", "Статус", "Ҳолат"),
    "after": ("Seen after", "Через", "Баъд аз"),
    "none": ("none", "нет", "нест"),
    "seconds": ("s", "с", "сон"),
    "minutes": ("min", "мин", "дақ"),
    "hours": ("h", "ч", "соат"),
    "ENROUTE": ("On its way", "В пути", "Дар роҳ"),
    "ACCEPTED": ("Sent, no report yet", "Отправлено, отчёта нет", "Фиристода шуд, ҳисобот нест"),
    "DELIVERED": ("Delivered", "Доставлено", "Расонида шуд"),
    "EXPIRED": ("Too late: life time over", "Истёк срок жизни", "Мӯҳлаташ гузашт"),
    "DELETED": ("Canceled", "Отменено", "Бекор шуд"),
    "UNDELIVERABLE": ("No such number, or memory full", "Номера нет или нет места", "Рақам нест ё ҷой нест"),
    "REJECTED": ("Refused by the network", "Отклонено оператором", "Аз ҷониби оператор рад шуд"),
    "UNKNOWN": ("Unknown error", "Неизвестная ошибка", "Хатои номаълум"),
    "UNRECOGNIZED": ("Unknown status", "Неизвестный статус", "Ҳолати номаълум"),
    "NOT_FOUND": ("Unknown to the gateway", "Неизвестно шлюзу", "Ба шлюз номаълум"),
    "empty": ("No number", "Нет номера", "Рақам нест"),
    "not_a_number": ("Not a number", "Не номер", "Рақам нест, матн аст"),
    "lost_digits": ("Number has lost digits", "В номере потеряны цифры", "Як қисми рақам гум шудааст"),
    "ambiguous_short": ("Number is ambiguous", "Номер неоднозначен", "Рақам норавшан аст"),
    "foreign_country": ("Foreign number", "Номер другой страны", "Рақами кишвари дигар"),
    "too_short": ("Number too short", "Номер слишком короткий", "Рақам аз ҳад кӯтоҳ аст"),
    "too_long": ("Number too long", "Номер слишком длинный", "Рақам аз ҳад дароз аст"),
    "several_numbers": (
        "Several numbers in a cell",
        "Несколько номеров в ячейке",
        "Якчанд рақам дар як хона",
    ),
    "missing_key": ("No key", "Нет ключа", "Калид нест"),
    "unfit_key": ("Key is damaged", "Ключ повреждён", "Калид вайрон аст"),
    "missing_value": ("A value for the text is missing", "Нет значения для текста", "Барои матн қимат нест"),
    "unfit_value": ("A value does not fit the text", "Значение не подходит", "Қимат мувофиқ нест"),
    "empty_text": ("No text", "Нет текста", "Матн нест"),
    "too_many_parts": ("Text too long", "Текст слишком длинный", "Матн аз ҳад дароз аст"),
    "duplicate": ("Duplicate", "Повтор", "Такрор"),
    "suppressed": ("On the stop list", "В стоп-листе", "Дар рӯйхати манъшудагон"),
    "not_allowed": ("Not allowed here", "Здесь не разрешён", "Ин ҷо иҷозат нест"),
    "not_chosen": ("Not chosen", "Не выбран", "Интихоб нашудааст"),
    "not_attempted": ("Not sent yet", "Ещё не отправлено", "Ҳанӯз фиристода нашудааст"),
    "not_reached": ("Gateway not reached", "Шлюз недоступен", "Шлюз дастнорас"),
    "refused_for_now": ("Refused for now", "Временный отказ", "Радди муваққатӣ"),
    "no_answer": ("No answer", "Нет ответа", "Ҷавоб нест"),
    "undecided": ("Perhaps accepted", "Возможно, принято", "Шояд қабул шуда бошад"),
    "account_refused": ("Account refused", "Отказ учётной записи", "Ҳисоб рад шуд"),
    "unsendable": ("Cannot be sent", "Нельзя отправить", "Фиристодан мумкин нест"),
}


def read_words(language: Language) -> Mapping[str, str]:
    """Return the captions in *language* by name, including those of statuses and reasons."""
    place = list(Language).index(language)
    return {name: words[place] for name, words in _WORDS.items()}
