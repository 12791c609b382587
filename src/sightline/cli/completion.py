"""`sightline completion`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console

__all__ = ["completion"]


@command()
def completion(
    console: Console,
    shell: Annotated[
        Literal["bash", "zsh", "fish"], Parameter(help="Shell to complete in.", show_default=False)
    ],
) -> None:
    """Print shell completion.

    bash: sightline completion bash > ~/.local/share/bash-completion/completions/sightline
    """
    from sightline.cli.program import build

    script = build().generate_completion(prog_name="sightline", shell=shell)
    if shell == "bash":  # what the script knows nothing of are names of files
        script = script.replace("complete -F ", "complete -o default -F ")
    console.object({"shell": shell, "script": script})
    console.result(script)
