"""Groups: which of a model's classes are tracked and counted together.

A label that is in no group of the pipeline, but is asked for, is a group of its own, called like the label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from sightline.errors import Misconfigured, setting
from sightline.validation import did_you_mean

__all__ = ["class_ids", "fitting"]

ALL_LABELS = "*"
# What a group's name cannot hold: it names folders and topics.
UNFIT = re.compile(r"[^a-z0-9_-]+")
LONGEST = 40


def class_ids(
    groups: Mapping[str, Sequence[str]],
    labels: Sequence[str],
    classes: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> dict[str, tuple[int, ...]]:
    """Class ids of each group, in the groups' order.

    Args:
        groups: labels by group, any case; `*` is every label.
        labels: the model's, by class id.
        classes: what to keep: labels, class ids or groups, any case; all groups where empty.
        optional: groups that are left out where the model has none of their labels and `classes` does not name them.

    Returns:
        Rising class ids by group. A group of which `classes` keeps nothing is left out; a label of `classes` that is
        in no group follows as a group of its own, in the order of class ids.

    Raises:
        Misconfigured: a group of which the model has no label, or one of `classes` that the model does not know.

    >>> class_ids({"cars": ["Car", "bus"], "people": ["person"]}, ["person", "car", "bus"], ["2", "People"])
    {'cars': (2,), 'people': (0,)}
    >>> class_ids({"cars": ["car"]}, ["person", "car", "traffic light"], ["Traffic light", "cars"])
    {'cars': (1,), 'traffic-light': (2,)}
    """
    found = {group: _ids(words, labels) for group, words in groups.items()}
    if not classes:
        found = {group: ids for group, ids in found.items() if ids or group not in optional}
        for group, ids in found.items():
            _require_labels(group, groups[group], ids, labels)
        return found
    kept: dict[str, set[int]] = {group: set() for group in groups}
    alone: set[int] = set()
    for word in classes:
        called = _group_called(word, groups)
        if called is not None:
            _require_labels(called, groups[called], found[called], labels)
            kept[called].update(found[called])
            continue
        wanted = _known(word, groups, labels)
        for name, ids in found.items():
            kept[name].update(wanted.intersection(ids))
        alone |= wanted.difference(*found.values())
    ours = {group: tuple(sorted(ids)) for group, ids in kept.items() if ids}
    return ours | _by_label(sorted(alone), labels, taken=groups)


def fitting(groups: Mapping[str, Sequence[str]], labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Groups for a detector that knows `labels` alone: those that have one of them, else a group for each label.

    >>> fitting({"cars": ["car", "bus"], "people": ["person"]}, ["car", "dog"])
    {'cars': ('car', 'bus')}
    >>> fitting({"cars": ["car", "bus"], "people": ["person"]}, ["Hard hat", "vest"])
    {'hard-hat': ('Hard hat',), 'vest': ('vest',)}
    """
    kept = {group: tuple(words) for group, words in groups.items() if _ids(words, labels)}
    return kept or {name: (labels[ids[0]],) for name, ids in _by_label(range(len(labels)), labels).items()}


def _by_label(
    ids: Iterable[int], labels: Sequence[str], taken: Iterable[str] = ()
) -> dict[str, tuple[int, ...]]:
    """A group for each label, called like it; classes of one label are one group."""
    same: dict[str, list[int]] = {}
    for class_id in ids:
        same.setdefault(labels[class_id].strip().lower(), []).append(class_id)
    groups: dict[str, tuple[int, ...]] = {}
    for label, members in same.items():
        name = UNFIT.sub("-", label)[:LONGEST].strip("-_") or f"class-{members[0]}"
        if name in groups or name in taken:
            name = f"{name}-{members[0]}"
        groups[name] = tuple(members)
    return groups


def _ids(words: Sequence[str], labels: Sequence[str]) -> tuple[int, ...]:
    wanted = {word.strip().lower() for word in words}
    return tuple(
        i for i, label in enumerate(labels) if ALL_LABELS in wanted or label.strip().lower() in wanted
    )


def _require_labels(group: str, words: Sequence[str], ids: Sequence[int], labels: Sequence[str]) -> None:
    if not ids:
        raise Misconfigured(
            f"group {group} wants {', '.join(words)}; the model knows {', '.join(labels)}: "
            f"name what to keep with {setting('classes')}, or choose another model or pipeline",
            code="no_label",
        )


def _group_called(word: str, groups: Iterable[str]) -> str | None:
    return next((group for group in groups if group.lower() == word.strip().lower()), None)


def _known(word: str, groups: Iterable[str], labels: Sequence[str]) -> set[int]:
    """Class ids that one word of `--classes` names: a label, or a number."""
    wanted = set(_ids([word], labels))
    if not wanted and word.strip().isdecimal() and int(word) < len(labels):
        wanted = {int(word)}
    if not wanted:
        known = [*groups, *labels]
        raise Misconfigured(
            f"{setting('classes', word)}: no such class; {did_you_mean(word, known)}", code="no_label"
        )
    return wanted
