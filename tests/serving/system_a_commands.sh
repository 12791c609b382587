#!/bin/sh
# The commands of kafka-ml-ucu's document, against one `sightline serve` on the documents' own ports.
#
# In an empty folder that holds VisDrone2019-MOT-val.zip: sh system_a_commands.sh CLONE
set -eu

python "$1/download_visdrone.py" --from VisDrone2019-MOT-val.zip

DATASET_ROOT_DIR=data/VisDrone_images sightline serve --data served --model sightline-tiny &
service=$!
trap 'kill $service; wait $service || true' EXIT
until curl -sf http://localhost:5001/ > running.txt; do
    kill -0 $service
    sleep 0.2
done

for video_name in \
    uav0000086_00000_v uav0000117_02622_v uav0000137_00458_v uav0000182_00000_v \
    uav0000268_05773_v uav0000305_00000_v uav0000339_00001_v; do
    curl -X POST http://localhost:5001/start/$video_name >> started.txt
    echo >> started.txt
done

while [ "$(find served/debug_output -mindepth 2 -name stats.csv 2> errors.txt | wc -l)" -lt 7 ]; do
    kill -0 $service
    sleep 0.2
done
cp served/debug_output/stats.csv stats.csv
