"""Groups: which of a model's classes are tracked and counted together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sightline.errors import Misconfigured
from sightline.validation import did_you_mean

__all__ = ["class_ids"]

ALL_LABELS = "*"


def class_ids(
    groups: Mapping[str, Sequence[str]], labels: Sequence[str], classes: Sequence[str] = ()
) -> dict[str, tuple[int, ...]]:
    """Class ids of each group, in the groups' order.

    Args:
        groups: labels by group, any case; `*` is every label.
        labels: the model's, by class id.
        classes: what to keep: labels, class ids or groups, any case; all where empty.

    Returns:
        Rising class ids by group. A group of which `classes` keeps nothing is left out.

    Raises:
        Misconfigured: a group of which the model has no label, or one of `classes` that is in no group.

    >>> class_ids({"cars": ["Car", "bus"], "people": ["person"]}, ["person", "car", "bus"], ["2", "People"])
    {'cars': (2,), 'people': (0,)}
    """
    found = {group: _ids(words, labels) for group, words in groups.items()}
    if not classes:
        for group, ids in found.items():
            _require_labels(group, groups[group], ids, labels)
        return found
    kept: dict[str, set[int]] = {group: set() for group in groups}
    for word in classes:
        for group, chosen in _chosen(word, groups, found, labels).items():
            kept[group].update(chosen)
    return {group: tuple(sorted(ids)) for group, ids in kept.items() if ids}


def _ids(words: Sequence[str], labels: Sequence[str]) -> tuple[int, ...]:
    wanted = {word.strip().lower() for word in words}
    return tuple(
        i for i, label in enumerate(labels) if ALL_LABELS in wanted or label.strip().lower() in wanted
    )


def _require_labels(group: str, words: Sequence[str], ids: Sequence[int], labels: Sequence[str]) -> None:
    if not ids:
        raise Misconfigured(
            f"group {group} wants {', '.join(words)}; the model knows {', '.join(labels)}: "
            "choose another model or pipeline, or leave the group out with --classes",
            code="no_label",
        )


def _chosen(
    word: str, groups: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[int]], labels: Sequence[str]
) -> dict[str, Sequence[int]]:
    """Class ids by group that one word of `--classes` names."""
    for group in found:
        if group.lower() == word.strip().lower():
            _require_labels(group, groups[group], found[group], labels)
            return {group: found[group]}
    wanted = {int(word)} if word.strip().isdecimal() else set(_ids([word], labels))
    if not any(0 <= i < len(labels) for i in wanted):
        known = [*groups, *labels]
        raise Misconfigured(f"--classes {word}: no such class; {did_you_mean(word, known)}", code="no_label")
    kept: dict[str, Sequence[int]] = {group: sorted(wanted.intersection(ids)) for group, ids in found.items()}
    if not any(kept.values()):
        listed = "; ".join(f"{group} = {', '.join(words)}" for group, words in groups.items())
        raise Misconfigured(
            f"--classes {word}: in no group of this pipeline ({listed}); "
            'use a pipeline file with a group for it, e.g. objects = ["*"]',
            code="no_label",
        )
    return kept
