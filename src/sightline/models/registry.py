"""Models by name: those of known file and hash, the bundled one, those that a user added, and plain files."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from pathlib import Path

from sightline.disk import chunks_of, write_whole
from sightline.errors import Corrupt, Misconfigured, setting
from sightline.models.cards import Card, Input, Thresholds, card_path, read_card, toml_of
from sightline.models.facts import Facts, facts_of, weights_of, weights_of_xml
from sightline.models.folders import models_folder
from sightline.models.guess import guess_card
from sightline.ports import Stat
from sightline.validation import did_you_mean
from sightline.vision.coco import COCO
from sightline.vision.heads import Profile
from sightline.vision.network import Shape

__all__ = [
    "BUNDLED",
    "KNOWN",
    "Listed",
    "Model",
    "Probe",
    "add",
    "find",
    "list_models",
    "resolve",
    "sha256_of",
    "verify",
    "write_card",
]

BUNDLED = "sightline-tiny"

KNOWN: dict[str, Card] = {
    "yolox-nano": Card(
        name="yolox-nano",
        licence="Apache-2.0",
        file="yolox-nano.onnx",
        sha256="695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
        url="https://raw.githubusercontent.com/Kazuhito00/YOLOX-ONNX-TFLite-Sample/"
        "3d4f1119d0694200671c08069ecb847aa0d8495a/model/yolox_nano.onnx",
        head="yolox",
        labels=COCO,
        input=Input(fit="topleft", colour="bgr", scale=1.0),
        thresholds=Thresholds(high=0.6, new=0.7),
        provenance={"source": "Megvii YOLOX, trained on COCO train2017; 0.91 M parameters, 25.8 mAP claimed"},
    )
}

# Output shape of a model file whose file does not say it; an engine finds out (`adapters.engines.choice.output_shape`).
Probe = Callable[[Path], Sequence[int]]


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Listed:
    """A model that has a name; `path` is None where it is still to be got from `url`."""

    name: str
    licence: str
    path: Path | None
    bundled: bool
    url: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is there.

    Attributes:
        path: `.onnx`, `.xml` or `.pt` file.
        card: its own, or told from the file.
        sha256: of the file as it is, and of its weights where they lie beside it.
        fixed: width and height where the network takes no other picture.
    """

    path: Path
    card: Card
    sha256: str
    fixed: tuple[int, int] | None

    @property
    def profile(self) -> Profile:
        """What an engine needs."""
        return self.card.profile(self.sha256)

    def picture(self, asked: str | None, width: int, height: int) -> tuple[int, int]:
        """Width and height of the picture for a source of `width` x `height` pixels.

        A network of one size has its own. Else `640x384` is taken as it is, and `640` is the longest side: the
        other follows the source, rounded up to a multiple of 32, or is as long where the frame is stretched. Without
        `asked` the card decides, else 640.

        Raises:
            Misconfigured: not a size, or not one that the network takes.
        """
        wanted = _size(asked) if asked else self.card.imgsz or 640
        if self.fixed is not None:
            own = f"{self.fixed[0]}x{self.fixed[1]}"
            if asked and wanted != self.fixed and {wanted} != set(self.fixed):
                raise Misconfigured(
                    f"{self.card.name} takes {own} only: leave out {setting('imgsz', asked)}", code="imgsz"
                )
            return self.fixed
        if isinstance(wanted, tuple):
            return wanted
        if self.card.fit == "stretch":
            return wanted, wanted
        longest = max(width, height)
        sides = [round(wanted * side / longest) for side in (width, height)]
        return -(-sides[0] // 32) * 32, -(-sides[1] // 32) * 32


def _size(text: str) -> int | tuple[int, int]:
    sides = [int(part) for part in text.lower().split("x") if part.isdecimal()]
    if len(sides) != text.lower().count("x") + 1 or len(sides) > 2 or any(s < 32 or s % 32 for s in sides):
        raise Misconfigured(
            f"{setting('imgsz', text)}: expected the longest side, e.g. 640, or width x height, e.g. 640x384, "
            "in multiples of 32",
            code="imgsz",
        )
    return sides[0] if len(sides) == 1 else (sides[0], sides[1])


def resolve(name_or_path: str | Path, folder: Path | None = None, probe: Probe | None = None) -> Model:
    """The model of a name, a file, or a folder with one OpenVINO model.

    Args:
        name_or_path: `yolox-nano`, the name of a model that was added, or a path.
        folder: where models are kept; None: `models_folder()`.
        probe: finds an output shape that the file does not say.

    Raises:
        Misconfigured: it is not there (names the command that brings it), it has no card and cannot be told, or it
            is not the file that its card describes.
    """
    text = str(name_or_path)
    folder = models_folder() if folder is None else folder
    named = find(text, folder)
    if named is not None:
        return _open(named, probe)
    path = Path(text)
    if path.is_dir():
        path = _inside(path)
    if path.is_file():
        return _open(path, probe)
    if text in KNOWN:
        raise Misconfigured(
            f"model {text} is not here yet: sightline models get {text}", code="model_missing"
        )
    known = [*KNOWN, BUNDLED, *(card.name for card in _cards(folder))]
    raise Misconfigured(
        f"no model {text!r}: no such file, and by name {did_you_mean(text, known)}", code="model_missing"
    )


def find(name: str, folder: Path) -> Path | None:
    """The file of a model that has a name: the bundled one, or one in `folder`; None where it is not there."""
    if name == BUNDLED:
        return Path(str(resources.files("sightline"))) / "demo" / f"{BUNDLED}.onnx"
    if not _NAME.fullmatch(name):
        return None
    for home in (folder, folder / name):  # a model with several files has a folder of its own
        card = home / f"{name}.card.toml"
        try:
            if card.is_file() and (home / read_card(card).file).is_file():
                return home / read_card(card).file
        except (
            PermissionError
        ):  # a home that is closed to this process, as to a service, holds no models for it
            continue
    return None


def list_models(folder: Path | None = None) -> list[Listed]:
    """Every model that has a name: known ones, the bundled one, those that were added, sorted by name."""
    folder = models_folder() if folder is None else folder
    bundled = find(BUNDLED, folder)
    assert bundled is not None
    cards = {**KNOWN, BUNDLED: read_card(card_path(bundled)), **{card.name: card for card in _cards(folder)}}
    return [
        Listed(name, cards[name].licence, find(name, folder), name == BUNDLED, cards[name].url)
        for name in sorted(cards)
    ]


def verify(name: str, folder: Path | None = None) -> Model:
    """Compare a model's file with the hash in its card.

    Raises:
        Misconfigured: it is not there.
        Corrupt: it is another file; `sightline models get` or `add` brings it again.
    """
    folder = models_folder() if folder is None else folder
    path = find(name, folder)
    if path is None:
        return resolve(name, folder)
    card = read_card(card_path(path))
    digest = sha256_of(path)
    if card.sha256 != digest:
        raise Corrupt(
            f"model {name}: sha256 {digest}, its card says {card.sha256}: delete {path.name} and bring it again",
            code="model_hash",
        )
    return _open(path, None)


def add(path: Path, name: str | None = None, folder: Path | None = None, probe: Probe | None = None) -> Model:
    """Copy a model into the folder, with its card or one told from the file, so that it has a name.

    Args:
        path: the file, or a folder with one OpenVINO model.
        name: for `--model`; None: its card's.
        folder, probe: see `resolve`.

    Raises:
        Misconfigured: see `resolve`; or the name is not a plain word, is taken by a known model, or by another file.
    """
    folder = models_folder() if folder is None else folder
    model = _open(_inside(path) if path.is_dir() else path, probe)
    name = model.card.name if name is None else name
    if not _NAME.fullmatch(name) or name in (*KNOWN, BUNDLED):
        raise Misconfigured(
            f"{name!r} cannot be the name of a model of yours: choose another with {setting('name')}",
            code="model",
        )
    there = find(name, folder)
    if there is not None and read_card(card_path(there)).sha256 != model.sha256:
        raise Misconfigured(
            f"{name} is another model already: choose another name with {setting('name')}", code="model"
        )
    facts = _facts_of_any(model.path)
    data = {} if facts is None else facts.data
    target = (folder / name if data else folder) / f"{name}{model.path.suffix.lower()}"
    card = model.card.model_copy(update={"name": name, "file": target.name, "sha256": model.sha256})
    for location in data:  # the model names these files, so they keep their names
        _keep(model.path.parent / location, target.parent / location)
    if target.suffix == ".xml":
        _keep(weights_of_xml(model.path), target.with_suffix(".bin"))
    _keep(model.path, target)
    write_card(card, target)
    return Model(target, card, model.sha256, model.fixed)


def write_card(card: Card, model: Path) -> None:
    """Write the card of a model file, whole or not at all."""
    write_whole(card_path(model), [toml_of(card).encode()])


def sha256_of(path: Path) -> str:
    """Hex digest of a model: of its file, and then of the files beside it that hold its weights, in order of name.

    Raises:
        Misconfigured: a file of weights is not there, or is not whole.
    """
    return _digest(path, _facts_of_any(path))


def _digest(path: Path, facts: Facts | None) -> str:
    parts = (path, *(() if facts is None else weights_of(path, facts)))
    return Stat.of(chain.from_iterable(map(chunks_of, parts))).sha256


def _facts_of_any(path: Path) -> Facts | None:
    """What a file says of itself; None for a `.pt` file, and for one that is damaged: its digest tells."""
    if path.suffix.lower() not in (".onnx", ".xml"):
        return None
    try:
        return facts_of(path)
    except Misconfigured:
        return None


def _open(path: Path, probe: Probe | None) -> Model:
    if path.suffix.lower() not in (".onnx", ".xml", ".pt"):
        raise Misconfigured(f"{path.name}: a model is an .onnx, .xml or .pt file", code="model")
    facts = None if path.suffix.lower() == ".pt" else facts_of(path)
    digest = _digest(path, facts)
    if card_path(path).is_file():
        card = read_card(card_path(path))
        if card.sha256 not in (None, digest):
            raise Misconfigured(
                f"{path.name} is not the file that {card_path(path).name} describes: sha256 {digest}, "
                f"in the card {card.sha256}",
                code="model_hash",
            )
    elif facts is None:
        card = Card(name=path.stem, file=path.name, head="ultralytics")
    else:
        card = guess_card(path, facts, _output(path, facts, probe))
    return Model(path, card, digest, None if facts is None else facts.fixed)


def _output(path: Path, facts: Facts, probe: Probe | None) -> Shape:
    if probe is not None and len(facts.outputs) == 1 and (len(facts.output) != 3 or None in facts.output[1:]):
        return tuple(probe(path))
    return facts.output


def _inside(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".xml")
    if len(found) != 1:
        raise Misconfigured(
            f"{folder.name}: {len(found)} .xml files in it, a model folder has one", code="model"
        )
    return found[0]


def _cards(folder: Path) -> list[Card]:
    found = list(folder.glob("*.card.toml"))
    found += [path for path in folder.glob("*/*.card.toml") if path.name == f"{path.parent.name}.card.toml"]
    return [read_card(path) for path in sorted(found, key=lambda path: path.name)]


def _keep(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, chunks_of(source))
