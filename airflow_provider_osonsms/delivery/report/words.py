"""The captions of the page, in English, Russian and Tajik."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """Languages of the page."""

    ENGLISH = "en"
    RUSSIAN = "ru"
    TAJIK = "tg"


_WORDS: Final = {
    "title": ("Delivery report", "Отчёт о доставке", "Ҳисобот дар бораи расонидан"),
    "campaign": ("Campaign", "Рассылка", "Маъракаи паёмҳо"),
    "period": ("Watched", "Наблюдение", "Мушоҳида"),
    "funnel": ("From audience to delivery", "От аудитории до доставки", "Аз аудитория то расонидан"),
    "audience": ("Audience", "Аудитория", "Аудитория"),
    "recipients": ("Recipients", "Получатели", "Гирандагон"),
    "accepted": ("Accepted by the gateway", "Приняты шлюзом", "Аз ҷониби шлюз қабулшуда"),
    "delivered": ("Delivered", "Доставлено", "Расонидашуда"),
    "failed": ("Failed", "Не доставлено", "Нарасида"),
    "pending": ("Pending", "В ожидании", "Дар интизорӣ"),
    "untracked": ("Untracked", "Без номера", "Бе рақам"),
    "statuses": ("Statuses", "Статусы", "Ҳолатҳо"),
    "curve": ("Delivered over time", "Доставка по времени", "Расонидан бо гузашти вақт"),
    "minutes": ("minutes", "минут", "дақиқа"),
    "rejects": ("Not accepted, by reason", "Не приняты, по причинам", "Қабулнашуда, аз рӯйи сабаб"),
    "parts": ("Parts", "Части", "Қисмҳо"),
    "cost": ("Cost, somoni", "Стоимость, сомони", "Арзиш, сомонӣ"),
    "slowest": ("Slowest deliveries", "Самые медленные доставки", "Расонидани сусттарин"),
    "undelivered": ("Not delivered", "Не доставлены", "Расонида нашудааст"),
    "phone": ("Phone", "Телефон", "Телефон"),
    "msg_id": ("Message id", "Номер сообщения", "Рақами паём"),
    "status": ("Status", "Статус", "Ҳолат"),
    "after": ("Seen after", "Замечено через", "Баъд аз"),
    "none": ("none", "нет", "нест"),
}


def read_words(language: Language) -> Mapping[str, str]:
    """Return the captions in *language* by their names."""
    place = list(Language).index(language)
    return {name: words[place] for name, words in _WORDS.items()}
