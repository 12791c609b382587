"""Bring VisDrone2019-MOT-val into ./data/VisDrone_images; `--from FILE.zip` and `--url ADDRESS` as in `sightline datasets get`."""

import sys

from sightline.cli import main

if __name__ == "__main__":
    sys.exit(main(["datasets", "get", "visdrone-mot-val", *sys.argv[1:]]))
