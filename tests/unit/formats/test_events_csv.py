"""`events.csv`."""

import csv
import io

from sightline.counts import Line
from sightline.formats import events_csv
from sightline.formats.timeline import alone
from sightline.vision.counting import count_job

from . import counted
from .jobs import written


def test_a_row_an_event():
    """Numbered from 1, with the frame's number in the source, its time in the video and on the clock."""
    files = written(events_csv.files([alone(counted.job(), counted.counts())]))

    assert files == {
        "events.csv": (
            "video_id,event,kind,name,direction,track_id,group,label,frame,pts_s,time,x,y\n"
            "street,1,line,north,in,1,cars,car,22,2.200000,2024-05-17T00:00:02.200000+02:00,1.250,0.000\n"
            "street,2,zone_enter,yard,,3,cars,bus,22,2.200000,2024-05-17T00:00:02.200000+02:00,1.250,0.000\n"
            "street,3,line,north,in,1,people,person,29,2.900000,2024-05-17T00:00:02.900000+02:00,1.250,0.000\n"
            "street,4,zone_exit,yard,,3,cars,bus,30,3.000000,2024-05-17T00:00:03.000000+02:00,1.250,0.000\n"
            "street,5,line,north,out,1,cars,car,39,3.900000,2024-05-17T00:00:03.900000+02:00,1.250,0.000\n"
        )
    }


def test_without_a_start_time_times_count_from_the_begin_of_the_video():
    """Nobody said a date, so none is shown."""
    text = written(events_csv.files([alone(counted.job(clock_start=None), counted.counts())]))["events.csv"]

    assert [row["time"] for row in csv.DictReader(io.StringIO(text))][:2] == ["00:00:02.200000"] * 2
    assert "1970" not in text


def test_nothing_happened_is_a_header():
    """A reader finds the columns of a job without lines."""
    files = written(events_csv.files([alone(counted.job(), counted.counts((), (), ()))]))

    assert files["events.csv"] == ",".join(events_csv.COLUMNS) + "\n"


def test_names_with_commas_and_quotes_come_back():
    """Names are written by people."""
    name = 'north, "main" gate'
    event = counted.event("line", name, "in", "cars", 1, "car", 0)

    text = written(events_csv.files([alone(counted.job(video_id="a,b"), counted.counts((), (), (event,)))]))[
        "events.csv"
    ]

    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["video_id"], row["name"], row["label"]) == ("a,b", name, "car")


def test_what_counting_finds_can_be_written():
    """From tracks to a file: all boxes stand at y 8, so a line through it is crossed by nobody."""
    job = counted.job()

    found = count_job(job, (Line("north", (0, 8 / 48), (1, 8 / 48)),))

    assert written(events_csv.files([alone(job, found)]))["events.csv"].count("\n") == 1
