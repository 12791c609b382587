"""Where settings come from: flags, variables, two files, defaults; the first that says something wins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sightline.errors import Misconfigured
from sightline.settings.options import DetectOptions, TrackOptions
from sightline.settings.serve_options import ServeOptions
from sightline.validation import checked, did_you_mean, read_toml

__all__ = [
    "Loaded",
    "LoadedServe",
    "about",
    "example",
    "flags_of",
    "load",
    "load_serve",
    "schema",
    "user_file",
    "variable",
]

PREFIX = "SIGHTLINE_"
FILE = "sightline.toml"
# Kubernetes gives every pod variables of this form for a service that is called `sightline`.
SERVICE_LINK = re.compile(r"SIGHTLINE_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_.*)?)")
OTHER_NAMES = {"tracker": "tracker.mode", "format": "formats"}
# Names that others read: where tests find real data, which service a client asks and with what token.
FOREIGN = frozenset({"SIGHTLINE_SHARED", "SIGHTLINE_SERVER", "SIGHTLINE_TOKEN"})
SERVE = "serve."
# What a service takes from the top of a file, or from the variable of a run, where its own section says nothing.
SHARED = ("model", "engine", "device", "batch", "workers", "fps")
# Variables of the founding systems, which `serve` still reads: the weakest source. What holds passwords of databases,
# brokers and stores is not among them: it never chooses one.
ALIASES = {
    "YOLO_MODEL_PATH": "serve.model",
    "FRAME_RATE": "serve.fps",
    "DATASET_ROOT_DIR": "serve.dataset",
    "CSV_PATH": "serve.csv_path",
    "SERVICE_NAME": "serve.service_name",
    "KAFKA_BROKER": "serve.kafka",
}

Said = tuple[str, Any, str]
"""A dotted key, a value, and who said so: `--conf`, `SIGHTLINE_CONF`, a file."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and for each dotted key that somebody set who that was: `--conf`, `SIGHTLINE_CONF`, a file."""

    options: TrackOptions
    sources: Mapping[str, str]

    def rows(self) -> Iterator[tuple[str, Any, str]]:
        """Key, value and source of every setting; `default` where nobody set it."""
        for key, value in leaves(self.options.model_dump(mode="json")):
            yield key, value, self.sources.get(key, "default")

    def detect(self) -> DetectOptions:
        """The same without what only `track` knows."""
        own = {name: getattr(self.options, name) for name in DetectOptions.model_fields}
        return DetectOptions.model_construct(**own)


@dataclass(frozen=True, slots=True)
class LoadedServe:
    """Settings of a service, and for each key that somebody set who that was."""

    options: ServeOptions
    sources: Mapping[str, str]

    def rows(self) -> Iterator[tuple[str, Any, str]]:
        """Key, value and source of every setting; `default` where nobody set it."""
        for key, value in leaves(self.options.model_dump(mode="json"), SERVE):
            yield key, value, self.sources.get(key, "default")


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Settings from everywhere.

    Args:
        flags: by dotted key, as written by the user; those that were not given are absent.
        config: file of `--config`; None: `sightline.toml` in `folder`, where there is one.
        env: variables; None: none.
        folder: the current folder; None: no file is looked for there.

    Raises:
        Misconfigured: an unknown key (names the nearest), or a value out of its range; names the source.
    """
    merged, sources = _merged(flags or {}, config, env or {}, folder)
    merged = {key: value for key, value in merged.items() if not f"{key}.".startswith(SERVE)}
    options = checked(TrackOptions, _nested(merged), lambda key: _where(key, sources))
    return Loaded(options, {key: said for key, said in sources.items() if key in merged})


def load_serve(
    flags: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> LoadedServe:
    """Settings of a service from everywhere; see `load`. Its keys begin with `serve`, dot.

    Raises:
        Misconfigured: an unknown key (names the nearest), or a value out of its range; names the source.
    """
    merged, sources = _merged(flags or {}, config, env or {}, folder)
    merged = {key: value for key, value in merged.items() if f"{key}.".startswith(SERVE)}
    values = _nested(merged).get("serve", {})
    if not isinstance(values, dict):
        raise Misconfigured(f"{_where('serve', sources)}: should be a section [serve]")
    options = checked(ServeOptions, values, lambda key: _where(f"{SERVE}{key}" if key else "serve", sources))
    return LoadedServe(options, {key: said for key, said in sources.items() if key in merged})


def _merged(
    flags: Mapping[str, Any], config: Path | None, env: Mapping[str, str], folder: Path | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Values by dotted key, and who said each."""
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    files = ([(key, value, path) for key, value in values] for path, values in _files(config, env, folder))
    given = [(key, value, flags_of(_canonical(key))[0]) for key, value in flags.items()]
    for said in [_aliases(env), *map(_with_shared, [*files, _variables(env)]), given]:
        for key, value, by in said:
            key = _canonical(key)
            for stale in [other for other in merged if _one_holds_the_other(key, other)]:
                del merged[stale], sources[stale]
            merged[key] = value
            sources[key] = by
    return merged, sources


def _with_shared(said: list[Said]) -> list[Said]:
    """What a source says, and what of it holds for a service as well; its own section comes later and wins."""
    return [*((SERVE + key, value, by) for key, value, by in said if key in SHARED), *said]


def user_file(env: Mapping[str, str]) -> Path:
    """The user's own file, by the XDG base directory specification."""
    home = env.get("XDG_CONFIG_HOME") or ""
    folder = Path(home) if Path(home).is_absolute() else Path(env.get("HOME") or "~").expanduser() / ".config"
    return folder / "sightline" / FILE


def _files(
    config: Path | None, env: Mapping[str, str], folder: Path | None
) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Dotted keys of the files, the weakest first."""
    own = user_file(env)
    if _is_there(own):
        yield str(own), list(leaves(read_toml(own)))
    path = config
    if path is None and folder is not None and (folder / FILE).is_file():
        path = folder / FILE
    if path is not None:
        yield str(path) if config is not None else FILE, list(leaves(read_toml(path)))


def _is_there(path: Path) -> bool:
    """Whether there is a file of the user's own; a home that is closed to this process, as to a service, has none."""
    try:
        return path.is_file()
    except PermissionError:
        return False


def _variables(env: Mapping[str, str]) -> list[Said]:
    known = {variable(key): key for key in all_keys()}
    known |= {PREFIX + "TRACKER": "tracker.mode", PREFIX + "DATA": "serve.data"}
    found: list[Said] = []
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in FOREIGN or SERVICE_LINK.fullmatch(name):
            continue
        if name not in known:
            raise Misconfigured(f"{name}: unknown variable; {did_you_mean(name, known)}")
        if env[name]:
            found.append((known[name], env[name], name))
    return found


def _aliases(env: Mapping[str, str]) -> list[Said]:
    return [(key, env[name], name) for name, key in ALIASES.items() if env.get(name)]


def all_keys() -> list[str]:
    """Every dotted key, those of a service last."""
    own = leaves(TrackOptions().model_dump())
    return [key for key, _ in [*own, *leaves(ServeOptions().model_dump(), SERVE)]]


def variable(key: str) -> str:
    """Name of the variable of a dotted key.

    >>> variable("tracker.track_buffer")
    'SIGHTLINE_TRACKER__TRACK_BUFFER'
    """
    return PREFIX + key.replace(".", "__").upper()


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of nested mappings."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _canonical(key: str) -> str:
    """`tracker = "quality"` is short for its mode, and `format` another name of `formats`."""
    return OTHER_NAMES.get(key, key)


def _one_holds_the_other(key: str, other: str) -> bool:
    """`conf` and `conf.low`: one source has a value where the other has a table."""
    return key.startswith(f"{other}.") or other.startswith(f"{key}.")


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in values.items():
        *branches, leaf = key.split(".")
        at = nested
        for branch in branches:
            at = at.setdefault(branch, {})
        at[leaf] = value
    return nested


def field_at(key: str) -> FieldInfo:
    """The field of a dotted key.

    Raises:
        KeyError: no such key.
    """
    of_serve = key.startswith(SERVE)
    model: type[BaseModel] = ServeOptions if of_serve else TrackOptions
    *branches, leaf = key.removeprefix(SERVE).split(".")
    for branch in branches:
        inner = model.model_fields[branch].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            raise KeyError(key)
        model = inner
    return model.model_fields[leaf]


def flags_of(key: str) -> tuple[str, ...]:
    """Flags of a dotted key, the usual one first.

    >>> flags_of("vid_stride"), flags_of("tracker.track_buffer"), flags_of("serve.api_port")
    (('--vid-stride', '--stride'), ('--tracker.track-buffer',), ('--api-port',))
    """
    extra = field_at(key).json_schema_extra
    named = extra.get("flags") if isinstance(extra, dict) else None
    own = f"--{key.removeprefix(SERVE).replace('_', '-')}"
    return tuple(map(str, named)) if isinstance(named, list) else (own,)


def _where(key: str, sources: Mapping[str, str]) -> str:
    inside = (said for found, said in sources.items() if found.startswith(f"{key}."))
    source = sources.get(key) or next(inside, "")
    if source.startswith(("-", PREFIX)) or source in ALIASES:
        return source
    return f"{source}: {key}" if source else key or "settings"


def schema() -> dict[str, Any]:
    """JSON Schema of a settings file; `kind` says whether a key is part of the run key."""
    whole, serve = TrackOptions.model_json_schema(), ServeOptions.model_json_schema()
    whole["properties"]["serve"] = serve
    return whole


def example() -> str:
    """A settings file with every key, all of them commented out: its default, or an example where it has none."""
    lines = ["# Settings of Sightline. Flags and variables SIGHTLINE_* win over this file."]
    section = ""
    serve = leaves(ServeOptions().model_dump(mode="json"), SERVE)
    for key, value in [*leaves(TrackOptions().model_dump(mode="json")), *serve]:
        branch, _, leaf = key.rpartition(".")
        if branch != section:
            lines += ["", f"[{branch}]"]
            section = branch
        description, default = about(key)
        shown = value if value or isinstance(value, bool | int) else (field_at(key).examples or [""])[0]
        lines += ["", f"# {description} Default: {default}.", f"# {leaf} = {json.dumps(shown)}"]
    return "\n".join(lines) + "\n"


def about(key: str) -> tuple[str, str]:
    """Description and default of a dotted key, for people."""
    field = field_at(key)
    extra = field.json_schema_extra
    says = extra.get("says") if isinstance(extra, dict) else None
    if says is None:
        says = ("on" if field.default else "off") if isinstance(field.default, bool) else field.default
    return str(field.description), str(says)
