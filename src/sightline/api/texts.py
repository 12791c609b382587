"""What statuses are called, as the documents of system B have it, and in English for who asks for it."""

from __future__ import annotations

from sightline.ports import JobState

__all__ = ["code_of", "language_of", "text_of"]

_CODES: dict[JobState, str] = {"processing": "sent", "predictable": "sent"}
_RUSSIAN = {
    "new": "Новое событие создано, ожидает отправки в очередь",
    "sent": "Событие отправлено в очередь обработки",
    "ready": "Результат сохранён в S3 и готов к забору",
    "failed": "Обработка завершилась ошибкой",
    "cancelled": "Обработка отменена",
}
_ENGLISH = {
    "new": "A new event was created and waits to be sent to the queue",
    "sent": "The event was sent to the processing queue",
    "ready": "The result is stored in S3 and ready to be fetched",
    "failed": "Processing ended with an error",
    "cancelled": "Processing was cancelled",
}


def code_of(state: JobState) -> str:
    """A state as an old client knows it.

    >>> code_of("predictable"), code_of("ready")
    ('sent', 'ready')
    """
    return _CODES.get(state, state)


def text_of(state: JobState, language: str) -> str:
    """The sentence that goes with a state."""
    return (_ENGLISH if language == "en" else _RUSSIAN)[code_of(state)]


def language_of(header: str) -> str:
    """`en` where `Accept-Language` prefers it to `ru`, else `ru`.

    >>> language_of("en-US,en;q=0.9,ru;q=0.8"), language_of("ru, en;q=0.5"), language_of("")
    ('en', 'ru', 'ru')
    """
    wish = {"en": 0.0, "ru": 0.0}
    for item in header.split(",")[:20]:
        tag, _, weight = item.partition(";")
        name = tag.strip().lower().split("-")[0]
        if name in wish:
            wish[name] = max(wish[name], _weight(weight))
    return "en" if wish["en"] > wish["ru"] else "ru"


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0
