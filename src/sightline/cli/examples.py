"""Examples that `--help` of each command ends with; a test parses every one."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CODES", "EXAMPLES", "epilogue"]

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "track": (
        "sightline track street.mp4 -o results",
        "sightline track videos/ --classes car,truck --save-video -o results",
        "sightline track street.mp4 --model best.onnx --start 10s --end 1m --vid-stride 2",
        "sightline track det.txt --fps 25 -o results",
    ),
    "detect": (
        "sightline detect street.mp4 --format csv -o results",
        "sightline detect 'cam*/*.mp4' --conf 0.4 --format coco -o results",
    ),
    "count": (
        "sightline count results --lines lines.json --bins 15m -o counts",
        "sightline count results/street --zones zones.json --json",
        "sightline count results --doubtful",
    ),
    "speeds": (
        "sightline speeds results/street",
        "sightline speeds results/street --plane plane.json -o speeds.csv",
        "sightline speeds results/street --plane plane.json --lines lines.json -o crossings.csv",
    ),
    "render": (
        "sightline render results",
        "sightline render results/street --lines shapes.json --zones shapes.json --counts -o street-tracks.mp4",
    ),
    "frame": ("sightline frame street.mp4 --at 12s --grid -o street.png",),
    "verify": (
        "sightline verify results",
        "sightline verify 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e",
        "sightline verify 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e --data videos-data",
    ),
    "serve": (
        "sightline serve --data videos-data --model sightline-tiny",
        "sightline serve --data videos-data --api-port 9080 --workers 4",
        "sightline serve --host 0.0.0.0 --allow-host videos.example",
    ),
    "worker": (
        "sightline worker detect --ledger postgres --kafka localhost:9092 --postgres postgresql://sightline@localhost/sightline",
        "sightline worker feed track stats collect relay publish --data worker-2 --config cluster.toml",
    ),
    "migrate": ("sightline migrate --config cluster.toml",),
    "topics": (
        "sightline topics create --config cluster.toml --replication 3",
        "sightline topics check --config cluster.toml",
    ),
    "lag": ("sightline lag --config cluster.toml",),
    "dead": (
        "sightline dead list --data videos-data",
        "sightline dead show detections-cars/3 --data videos-data",
        "sightline dead retry --job 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e --config cluster.toml",
    ),
    "backup": (
        "sightline backup copies --data videos-data",
        "sightline backup copies --data videos-data --keep 30",
    ),
    "restore": (
        "sightline restore copies --data videos-data",
        "sightline restore copies --copy backup-20261129T070000.000000Z.json --data videos-data",
    ),
    "tokens": (
        "sightline tokens add anna --scope write --expires 30d --data videos-data",
        "sightline tokens list --data videos-data",
        "sightline tokens rm anna --data videos-data",
    ),
    "submit": (
        "sightline submit street.mp4 --name north --wait",
        "sightline submit gate-0700.mp4 gate-0715.mp4 --pipeline traffic --server http://127.0.0.1:8080",
    ),
    "jobs": ("sightline jobs", "sightline jobs --state processing --state sent --json"),
    "show": ("sightline show 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e",),
    "watch": ("sightline watch 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e",),
    "get": (
        "sightline get 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e -o street.json",
        "sightline get 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e csv -o tracks.csv",
    ),
    "cancel": ("sightline cancel 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e",),
    "retry": ("sightline retry 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e",),
    "replay": (
        "sightline replay 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e --from track",
        "sightline replay 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e --from track --tracker.track-buffer 60",
        "sightline replay 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e --from detect --config cluster.toml",
    ),
    "rm": ("sightline rm 3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e",),
    "demo": ("sightline demo",),
    "eval": (
        "sightline eval --gt MOT17/train --pred results --benchmark mot17",
        "sightline eval --gt kitti/training --pred results --benchmark kitti",
        "sightline eval --gt gt.txt --pred results/street --group cars --fps 25",
    ),
    "convert": (
        "sightline convert results out --to yolo",
        "sightline convert results/street tracks.parquet --to parquet",
        "sightline convert gt.txt gt-visdrone.txt --truth --from mot --to visdrone",
        "sightline convert instances.json out --to mot --truth",
    ),
    "models": (
        "sightline models list",
        "sightline models get yolox-nano",
        "sightline models add best.onnx --name mine",
    ),
    "datasets": (
        "sightline datasets list",
        "sightline datasets get visdrone-mot-val --from VisDrone2019-MOT-val.zip",
        "sightline datasets verify data/VisDrone_images",
    ),
    "config": ("sightline config show", "sightline config init", "sightline config schema pipeline"),
    "doctor": ("sightline doctor",),
    "completion": (
        "sightline completion bash > ~/.local/share/bash-completion/completions/sightline",
        "sightline completion zsh > ~/.zfunc/_sightline",
        "sightline completion fish > ~/.config/fish/completions/sightline.fish",
    ),
    "version": ("sightline version",),
}


CODES = (
    "Exit codes: 0 done, 1 failed, 2 usage, 3 unreadable input, 4 partly failed, 5 unavailable, 130 stopped."
)


def epilogue(command: str) -> str:
    """What stands below the flags of a command: its examples, and the exit codes."""
    lines = "\n".join(f"  {example}" for example in EXAMPLES[command])
    return f"Examples:\n{lines}\n\n{CODES}"
