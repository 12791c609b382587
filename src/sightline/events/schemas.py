"""JSON Schemas of what travels on topics, made of the very forms that the codecs read and write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sightline.events.dialect_a import FORMS_A
from sightline.events.dialect_b import FORMS_B
from sightline.events.native import FORMS
from sightline.events.outbox_events import FORM

__all__ = ["schemas"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """A schema for each dialect and kind, `<dialect>-<kind>`; `…-answer` is what programs of other systems may write.

    >>> sorted(schemas())[:4]
    ['a-detections', 'a-detections-answer', 'a-frames', 'a-tracks']
    """
    forms: dict[str, Sequence[type]] = {f"native-{kind}": found for kind, found in FORMS.items()}
    forms["b-jobs"] = (FORM,)
    for dialect, known in (("a", FORMS_A), ("b", FORMS_B)):
        for kind, form in known.items():
            forms[f"{dialect}-{kind}"] = (form.ours, form.end)
            if form.foreign is not None:
                forms[f"{dialect}-{kind}-answer"] = (form.foreign,)
    return {name: _schema(name, found) for name, found in forms.items()}


def _schema(name: str, forms: Sequence[type]) -> dict[str, Any]:
    refs, parts = msgspec.json.schema_components(forms)
    made = {"$schema": DRAFT, "title": name, "anyOf": list(refs), "$defs": parts}
    public: dict[str, Any] = _public(made, parts)
    return public


def _public(value: Any, private: Mapping[str, Any]) -> Any:
    """The same with names of forms as others may read them: these are private to their modules."""
    if isinstance(value, dict):
        return {
            (_word(key) if key in private else key): _public(part, private) for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_public(part, private) for part in value]
    if isinstance(value, str) and value.rpartition("/")[2] in private:
        head, slash, last = value.rpartition("/")
        return head + slash + _word(last)
    return value


def _word(name: str) -> str:
    return name.removeprefix("_")
