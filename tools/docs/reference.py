"""Write the reference from the code and the changelog from its notes; a test compares them.

Run `python tools/docs/reference.py` after a change of options, commands, routes or bundled pipelines, and after a note in `changes/`.
"""

import json
import re
import runpy
import sys
from importlib import resources
from pathlib import Path
from typing import Any
from unittest import mock

from sightline import pipeline
from sightline.api.app import document_of
from sightline.api.backend import Backend
from sightline.api.settings import ApiSettings
from sightline.api.v1.openapi import operations
from sightline.cli import exits
from sightline.cli.examples import EXAMPLES
from sightline.cli.program import LATER, build
from sightline.formats import anchors, camera_bin, segments
from sightline.settings import about, flags_of, variable
from sightline.settings.load import ALIASES, SHARED, all_keys, field_at
from sightline.settings.load import SERVE as SECTION
from sightline.testing import MemoryNotes, MemoryObjects, MemoryStore

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- Written by tools/docs/reference.py; change the code, then run it. -->"

PRECEDENCE = """\
The first source that says something wins, key by key:

1. a flag,
2. a variable `SIGHTLINE_*`; a dot in the key is `__`,
3. the file of `--config`, or without it `./sightline.toml`,
4. your own file, `$XDG_CONFIG_HOME/sightline/sightline.toml` (usually `~/.config/sightline/sightline.toml`),
5. the default.

Unknown keys and variables are errors that name the nearest known one. `sightline config show` prints every value and
its source, `sightline config init` writes a file with all keys commented out, `sightline config schema` the JSON
Schema.

A *result* setting is part of the run key: another value may give other bytes, so it is another run. A *machine*
setting changes no byte of any result file. A *clock* setting changes only what tells the time: `clock_start` in
`run.json`, `time` in `events.csv`, `start_time` and `end_time` in `counts.csv`, `timestamp` in `csv-a`."""

THRESHOLDS = """\
| what | wins over | wins over | wins over |
|---|---|---|---|
| `high`, `new` of the tracker | flag or setting | model card | pipeline file, official value |
| `conf`, `iou` | flag or setting | pipeline file | model card, command's default |
| everything else | flag or setting | pipeline file | default |

Where nobody says anything: `conf` 0.1 for `track` and 0.25 for `detect`, `iou` 0.7, `max_det` 300, ByteTrack's official
0.6, 0.1, 0.7, 0.9, 30 with score fusion. A floor of 0.25 at a high threshold of 0.25 would switch the tracker's second
match off, therefore `track` begins at 0.1."""


def cli_page() -> str:
    """`cli.md`: every command with its flags; those that all commands have stand once."""
    # The parser puts the name of the running program into the page, with -m if it was started so.
    with mock.patch.object(sys, "argv", ["sightline"]):
        text = build().generate_docs(output_format="markdown").replace("\\[", "[")
    shared = re.search(r"\*\*Output\*\*:\n\n((?:\* .*\n)+)", text)
    assert shared is not None
    text = re.sub(r"\*\*Output\*\*:\n\n(?:\* .*\n)+\n?", "", text)
    text = re.sub(r"(?m)^Exit codes: .*\n?", "", text)
    text = re.sub(r"(?m)^## sightline (\w+)\n", _with_examples, text)
    head, _, commands = text.partition("## sightline track")
    table = exits.__doc__.partition("\n\n")[2].strip()
    later = ", ".join(f"`{name}`" for name in sorted(LATER))
    return _page(
        "Command line",
        "Results go to stdout, everything else to stderr. With `--json` stdout holds one object, or for lists one object "
        'a line; a failure is an object too: `{"error": {"code", "message"}, "exit_code"}`. A source of `track` that failed '
        'has its `error` in its entry of `runs`: `{"code", "detail"}`. A command that a signal stops prints none. What the codes of '
        "errors mean: [troubleshooting](../troubleshooting.md).",
        "## Exit codes\n\n" + table,
        "## Flags of every command\n\n" + shared[1].strip(),
        "## Commands\n\n" + _list(head),
        f"To come, until then exit code 2: {later}.",
        "## sightline track" + commands.rstrip(),
    )


SERVICE = """\
A service has a section of its own, `[serve]`, and takes {shared} from the top of the file (or the variable of a run) where
that says nothing. `SIGHTLINE_DATA` is short for `SIGHTLINE_SERVE__DATA`. Variables of the founding systems still hold, for
`serve` alone and where nothing else says anything: {aliases}. Passwords and addresses of databases, brokers and stores
(`POSTGRES_*`, `MONGO_URI`, `MINIO_*`, `KAFKA_BROKER`) choose nothing."""


def settings_page() -> str:
    """`settings.md`: a row per key."""
    keys = all_keys()
    aliases = ", ".join(f"`{name}` (`{key}`)" for name, key in ALIASES.items())
    service = SERVICE.format(shared=", ".join(f"`{key}`" for key in SHARED), aliases=aliases)
    return _page(
        "Settings",
        PRECEDENCE,
        "## Keys\n\n" + _table([key for key in keys if not key.startswith(SECTION)]),
        "## Keys of a service\n\n" + service,
        _table([key for key in keys if key.startswith(SECTION)]),
    )


def _table(keys) -> str:
    rows = []
    for key in keys:
        description, default = about(key)
        extra = field_at(key).json_schema_extra
        flags = " ".join(f"`{flag}`" for flag in flags_of(key))
        rows.append(
            f"| `{key}` | {extra['kind']} | {default} | {flags} | `{variable(key)}` | {description} |"
        )
    header = "| key | kind | default | flag | variable | meaning |\n|---|---|---|---|---|---|\n"
    return header + "\n".join(rows)


def pipelines_page() -> str:
    """`pipelines.md`: the keys of a file, which value wins, and the bundled files as they are."""
    parts = [
        "A pipeline is one TOML file: `--pipeline NAME` for a bundled one, `--pipeline FILE.toml` for your own. "
        "`sightline config schema pipeline` prints the JSON Schema.",
        "## Which threshold wins\n\n" + THRESHOLDS,
        "## Keys",
    ]
    for name, model in (
        ("", pipeline.Pipeline),
        ("`[[branches]]`", pipeline.Branch),
        ("`[two_wheelers]`", pipeline.TwoWheelers),
        ("`[tracker]`", pipeline.Tracker),
    ):
        rows = [_key_row(key, field) for key, field in model.model_fields.items()]
        title = f"### {name}\n\n" if name else ""
        parts.append(title + "| key | kind | meaning |\n|---|---|---|\n" + "\n".join(rows))
    parts.append("## Bundled pipelines")
    for name in pipeline.BUNDLED:
        text = (resources.files("sightline.pipelines") / f"{name}.toml").read_text("utf-8")
        parts.append(f"### {name}\n\n```toml\n{text.strip()}\n```")
    return _page("Pipelines", *parts)


def columns_page() -> str:
    """`columns.md`: the files of columns in a run folder, byte by byte."""
    return _page(
        "Files of columns",
        "`segments/` of a [run folder](run-folder.md) holds files of columns, for programs. Their bytes follow from the run key "
        "alone, their sizes and hashes are in `run.json`, and `sightline verify` checks that they fit each other. A file "
        "of a newer version is refused; older ones stay readable.",
        "## Segments\n\n`segments/<kind>-<group>/<first seq>.seg`, of 128 frames each; `published-<group>` are the tracks that all "
        "result files show.\n\n" + segments.__doc__.strip(),
        "## Anchors\n\n`segments/anchors-<group>.bin`. `sightline count` and `run.count` read them instead of segments; a run "
        "of a release that wrote none is counted from its segments, with the same result.\n\n"
        + anchors.__doc__.strip(),
        "## Camera\n\n`segments/camera.bin`. Lines and zones [stay on the ground](../counting.md#a-camera-that-moves) by it.\n\n"
        + camera_bin.__doc__.strip(),
    )


def _openapi() -> dict[str, Any]:
    """The document of the API; no store is asked for it."""
    store = MemoryStore()
    backend = Backend(
        store=store,
        objects=MemoryObjects(),
        notes=MemoryNotes(),
        probe=mock.Mock(),
        now_us=mock.Mock(),
        new_id=mock.Mock(),
        cancel_and_purge=mock.Mock(),
    )
    return document_of(backend, ApiSettings())


def openapi_json() -> str:
    """`openapi.json`, for clients that are generated."""
    return json.dumps(_openapi(), indent=1, ensure_ascii=False) + "\n"


def http_page() -> str:
    """`http.md`: every call with its parameters, bodies and answers."""
    made = _openapi()
    parts = [
        made["info"]["description"]
        + " The same as a document: [openapi.json](openapi.json), which the service gives "
        "at `/api/v1/openapi.json`, and as a page at `/docs`. Codes of errors: [troubleshooting](../troubleshooting.md#over-http)."
    ]
    for path, method, operation in operations(made):
        parts.append(f"## {method.upper()} {path}")
        parts.append(" ".join([operation["summary"] + ".", operation.get("description", "")]).strip())
        if given := operation.get("parameters"):
            rows = [
                f"| `{each['name']}` | {each['in']} | {_kind(each['schema'])} | {each.get('description', '')} |"
                for each in given
            ]
            parts.append("| parameter | in | type | meaning |\n|---|---|---|---|\n" + "\n".join(rows))
        if body := operation.get("requestBody"):
            parts.append("Body: " + ", ".join(f"`{kind}`" for kind in body["content"]) + ".")
        rows = [
            f"| {status} | {answer['description']} |" for status, answer in operation["responses"].items()
        ]
        parts.append("| answer | |\n|---|---|\n" + "\n".join(rows))
        for answer in operation["responses"].values():
            if (example := _example(made, answer.get("content", {}).get("application/json"))) is not None:
                parts.append(f"```json\n{json.dumps(example, indent=1, ensure_ascii=False)}\n```")
                break
    return _page("HTTP", *parts)


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return _kind(schema["anyOf"][0])
    words = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    return ", ".join(f"`{word}`" for word in words) or schema.get("type", "")


def _example(made: dict[str, Any], content: dict[str, Any] | None) -> Any:
    if content is None:
        return None
    if "example" in content:
        return content["example"]
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return made["components"]["schemas"].get(name, {}).get("example")


def _key_row(key, field) -> str:
    return f"| `{key}` | {field.json_schema_extra['kind']} | {field.description} |"


def _with_examples(heading: re.Match[str]) -> str:
    lines = "\n".join(EXAMPLES[heading[1]])
    return f"{heading[0]}\n```sh\n{lines}\n```\n"


def _list(head: str) -> str:
    return "\n".join(line for line in head.splitlines() if line.startswith("* "))


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


TOPICS = runpy.run_path(str(Path(__file__).with_name("topics.py")))
CHANGES = runpy.run_path(str(ROOT / "tools" / "release" / "changelog.py"))
PAGES = {
    "cli.md": cli_page,
    "settings.md": settings_page,
    "pipelines.md": pipelines_page,
    "columns.md": columns_page,
    "http.md": http_page,
    "topics.md": lambda: TOPICS["page"](_page),
    **{f"topics/{name}": lambda text=text: text for name, text in TOPICS["files"]().items()},
    "openapi.json": openapi_json,
    "../../CHANGELOG.md": CHANGES["changelog"],
}


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
