"""Pipelines: what a file may say, and which value wins when several say something."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Misconfigured
from sightline.pipeline import (
    BUNDLED,
    Card,
    Overrides,
    TrackerOverrides,
    class_ids,
    load,
    model_of,
    resolve,
    schema,
    topic_of,
)

MINIMAL = 'name = "mine"\n[groups]\nboats = ["boat"]\n'


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return written


# --- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_pipeline_loads_and_resolves(name):
    """They are whole, and their name is that of their file."""
    pipeline = load(name)

    assert pipeline.name == name
    assert resolve(pipeline).name == name


def test_traffic_is_the_default_of_the_command_line():
    """One branch, cars, people and two-wheelers, every frame, the quality tracker with refinement."""
    resolved = resolve(load("traffic"))

    assert [branch.name for branch in resolved.branches] == ["main"]
    assert list(resolved.groups) == ["cars", "people", "two-wheelers"]
    assert resolved.groups["cars"] == ("car", "van", "truck", "bus")
    assert (resolved.stride, resolved.preprocess) == (1, "none")
    assert resolved.tracker.mode == "quality"
    assert resolved.refine


def test_visdrone_has_the_thresholds_and_topics_of_the_system_it_replaces():
    """Its detector publishes from 0.1, so that the second match has boxes; its tables keep 0.25."""
    pipeline = load("visdrone")
    resolved = resolve(pipeline)

    assert resolved.tracker.model_dump() == {
        "mode": "bytetrack",
        "track_high_thresh": 0.25,
        "track_low_thresh": 0.1,
        "new_track_thresh": 0.25,
        "match_thresh": 0.8,
        "track_buffer": 30,
        "fuse_score": True,
        "evidence": False,
    }
    assert {(branch.conf, branch.iou) for branch in resolved.branches} == {(0.1, 0.7)}
    assert resolved.object_conf == 0.25
    assert not resolved.refine
    assert topic_of(pipeline, "frames:cars") == "car-frames"
    assert topic_of(pipeline, "frames:people") == "person-frames"
    assert topic_of(pipeline, "tracks:people") == "tracks-people"


def test_detect_has_the_sampling_and_thresholds_of_the_system_it_replaces():
    """Every fifth frame, blurred, all labels, no tracker."""
    resolved = resolve(load("detect"))

    assert (resolved.stride, resolved.preprocess, resolved.tracker) == (5, "blur-contrast", None)
    assert (resolved.branches[0].conf, resolved.branches[0].iou) == (0.25, 0.45)
    assert resolved.groups == {"objects": ("*",)}
    assert resolved.topics["frames:main"] == "inference_tasks"
    assert resolved.topics["detections:objects"] == "inference_results"
    assert resolved.topics["jobs"] == "outbox_events"


def test_no_two_pipelines_share_a_topic_but_that_of_job_events():
    """Their records differ, so a reader of one must never meet those of another."""
    used = [
        topic for name in BUNDLED for stream, topic in resolve(load(name)).topics.items() if stream != "jobs"
    ]

    assert len(used) == len(set(used))


def test_a_file_may_leave_out_almost_everything(write):
    """A name and a group are enough; topics get names of their own."""
    resolved = resolve(load(write(MINIMAL)))

    assert resolved.groups == {"boats": ("boat",)}
    assert resolved.topics["detections:boats"] == "detections-boats-mine"
    assert resolved.tracker.track_high_thresh == 0.6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "strid = 2\n", r"groups\.strid"),
        ("strid = 2\n" + MINIMAL, r"mine\.toml: strid: unknown key; did you mean stride\?"),
        (
            MINIMAL + "[tracker]\ntrack_hihg_thresh = 1\n",
            r"tracker\.track_hihg_thresh: unknown key; did you mean track_high",
        ),
        (
            MINIMAL + '[[branches]]\nname = "main"\nconf = 2\n',
            r"branches\.0\.conf = 2: .*less than or equal to 1",
        ),
        (
            MINIMAL + '[tracker]\nmode = "sort"\n',
            r"tracker\.mode = 'sort': .*'bytetrack', 'quality' or 'none'",
        ),
        (MINIMAL + '[topics]\n"frams:main" = "x"\n', r"no stream 'frams:main'; did you mean frames:main\?"),
        (MINIMAL + '[[branches]]\nname = "a"\ngroups = ["boat"]\n', r"no group 'boat'; did you mean boats\?"),
        (
            MINIMAL + '[[branches]]\nname = "a"\n[[branches]]\nname = "b"\n',
            r"one branch that finds it, and one only",
        ),
        ("refine = true\n" + MINIMAL + '[tracker]\nmode = "bytetrack"\n', r"quality tracker only"),
        (
            MINIMAL + '[two_wheelers]\ngroup = "boat"\nriders = "boats"\n',
            r"no group 'boat'; did you mean boats\?",
        ),
        (
            MINIMAL + '[two_wheelers]\ngroup = "boats"\nriders = "boats"\n',
            r"group and riders are both 'boats'",
        ),
        ('name = "mine"\n', r"groups: field required"),
        ('name = "mine"\n[groups]\n', r"name one at least"),
        ("name =", r"mine\.toml: not TOML"),
    ],
)
def test_a_wrong_file_names_the_place_and_what_would_be_right(write, text, message):
    """A misspelled threshold is never ignored."""
    with pytest.raises(Misconfigured, match=message):
        load(write(text))


def test_an_unknown_name_gets_the_nearest_one():
    """And a file that is not there is called so."""
    with pytest.raises(Misconfigured, match=r"no pipeline 'trafic'; did you mean traffic\?"):
        load("trafic")
    with pytest.raises(Misconfigured, match=r"mine\.toml: no such file"):
        load("mine.toml")


def test_the_schema_says_of_each_key_whether_it_is_part_of_the_run_key():
    """Result settings and machine settings, nothing else."""
    definitions = schema()["$defs"] | {"Pipeline": schema()}
    kinds = {
        f"{name}.{key}": field.get("kind")
        for name, definition in definitions.items()
        for key, field in definition["properties"].items()
    }

    assert set(kinds.values()) == {"result", "machine"}
    assert {key for key, kind in kinds.items() if kind == "machine"} == {
        "Pipeline.consumers",
        "Pipeline.dialect",
        "Pipeline.topics",
        "Pipeline.formats",
    }


# --- precedence --------------------------------------------------------------------------------------------------

unit = st.one_of(st.none(), st.floats(0.3, 0.9).map(lambda value: round(value, 3)))


def file_of(conf, iou, high, new):
    lines = [*MINIMAL.splitlines(), "[[branches]]", 'name = "main"']
    lines += [f"{key} = {value}" for key, value in (("conf", conf), ("iou", iou)) if value is not None]
    lines += ["[tracker]"]
    thresholds = (("track_high_thresh", high), ("new_track_thresh", new))
    lines += [f"{key} = {value}" for key, value in thresholds if value is not None]
    return "\n".join(lines) + "\n"


def first(*values):
    return next(value for value in values if value is not None)


@given(st.data())
def test_flag_card_file_default(tmp_path_factory, data):
    """A flag wins always. The card wins over the file for `high`, `new`, the file over the card for `conf`, `iou`."""
    flag, card, file = (
        dict(zip(("conf", "iou", "high", "new"), data.draw(st.tuples(*[unit] * 4)), strict=True))
        for _ in range(3)
    )
    path = tmp_path_factory.mktemp("pipeline") / "mine.toml"
    path.write_text(file_of(**file))
    tracker = TrackerOverrides(track_high_thresh=flag["high"], new_track_thresh=flag["new"])
    overrides = Overrides(conf=flag["conf"], iou=flag["iou"], tracker=tracker)

    resolved = resolve(load(path), Card(**card), overrides)

    assert resolved.branches[0].conf == first(flag["conf"], file["conf"], card["conf"], 0.1)
    assert resolved.branches[0].iou == first(flag["iou"], file["iou"], card["iou"], 0.7)
    assert resolved.tracker.track_high_thresh == first(flag["high"], card["high"], file["high"], 0.6)
    assert resolved.tracker.new_track_thresh == first(flag["new"], card["new"], file["new"], 0.7)


def test_detect_has_a_higher_floor_and_no_tracker(write):
    """Without a second match, boxes of 0.1 are of no use."""
    resolved = resolve(load(write(MINIMAL)), command="detect")

    assert (resolved.branches[0].conf, resolved.tracker, resolved.refine) == (0.25, None, False)


def test_another_tracker_switches_refinement_with_it():
    """It is on with `quality`, never with `bytetrack`, whatever the file says of the other one."""
    quality = resolve(load("visdrone"), overrides=Overrides(tracker=TrackerOverrides(mode="quality")))
    official = resolve(load("traffic"), overrides=Overrides(tracker=TrackerOverrides(mode="bytetrack")))

    assert (quality.refine, official.refine) == (True, False)


@pytest.mark.parametrize(
    ("pipeline", "overrides", "message"),
    [
        ("visdrone", {"refine": True}, "quality tracker only"),
        (
            "detect",
            {"tracker": {"track_buffer": 5}},
            r"has no tracker, so tracker\.track_buffer= means nothing",
        ),
        (
            "traffic",
            {"tracker": {"track_low_thresh": 0.8}},
            r"track_low_thresh 0\.8 is above track_high_thresh 0\.6",
        ),
    ],
)
def test_flags_that_do_not_fit_are_refused(pipeline, overrides, message):
    """Rather than ignored."""
    with pytest.raises(Misconfigured, match=message):
        resolve(load(pipeline), overrides=Overrides.model_validate(overrides))


def test_the_object_confidence_follows_a_flag():
    """Else it is the file's, but never below the detector's."""
    assert resolve(load("visdrone")).object_conf == 0.25
    assert resolve(load("visdrone"), overrides=Overrides(conf=0.5)).object_conf == 0.5
    assert resolve(load("detect")).object_conf == 0.25


def test_what_changes_no_byte_is_not_in_the_run_key():
    """Topics and formats may differ; the model is in the key by its digest, not by its name."""
    plain = resolve(load("traffic"))
    other = resolve(load("traffic"), overrides=Overrides(model="other", formats=("csv",)))

    assert plain.result_settings() == other.result_settings()
    assert json.loads(json.dumps(plain.result_settings())) == plain.result_settings()
    assert (
        resolve(load("traffic"), overrides=Overrides(conf=0.2)).result_settings() != plain.result_settings()
    )


def test_branches_that_differ_in_groups_alone_are_one_detector():
    """So one process decodes and detects once for both."""
    detector = resolve(load("visdrone")).detector()

    assert detector.groups == ("cars", "people")


def test_branches_of_two_models_are_refused(write):
    """One process has one model for now; a flag settles it."""
    text = MINIMAL + 'cars = ["car"]\n[[branches]]\nname = "a"\ngroups = ["boats"]\nmodel = "x"\n'
    pipeline = load(write(text + '[[branches]]\nname = "b"\ngroups = ["cars"]\nmodel = "y"\n'))

    with pytest.raises(Misconfigured, match="more than one model"):
        model_of(pipeline, Overrides())
    with pytest.raises(Misconfigured, match="differ in model"):
        resolve(pipeline).detector()
    assert model_of(pipeline, Overrides(model="z")) == "z"
    assert resolve(pipeline, overrides=Overrides(model="z")).detector().model == "z"


# --- groups ------------------------------------------------------------------------------------------------------

GROUPS = {"cars": ("car", "van"), "people": ("person",)}
LABELS = ("Person", "car", "dog", "VAN")


def test_labels_are_compared_without_case():
    """COCO writes `person`, KITTI `Car`."""
    assert class_ids(GROUPS, LABELS) == {"cars": (1, 3), "people": (0,)}


def test_a_star_is_every_label():
    """For pipelines that keep all."""
    assert class_ids({"objects": ("*",)}, LABELS) == {"objects": (0, 1, 2, 3)}


@pytest.mark.parametrize(
    ("classes", "wanted"),
    [
        (["cars"], {"cars": (1, 3)}),
        (["PEOPLE"], {"people": (0,)}),
        (["van"], {"cars": (3,)}),
        (["3", "person"], {"cars": (3,), "people": (0,)}),
        (["cars", "van"], {"cars": (1, 3)}),
    ],
)
def test_classes_are_named_by_label_id_or_group(classes, wanted):
    """A group of which nothing is wanted is left out."""
    assert class_ids(GROUPS, LABELS, classes) == wanted


def test_a_group_without_a_label_names_both_lists():
    """What the pipeline wants, and what the model knows."""
    with pytest.raises(
        Misconfigured, match=r"group people wants person; the model knows cat, car:"
    ) as caught:
        class_ids(GROUPS, ["cat", "car"])

    assert caught.value.code == "no_label"


def test_a_group_that_is_not_wanted_needs_no_label():
    """A model of cars alone can be used with `--classes cars`."""
    assert class_ids(GROUPS, ["car"], ["cars"]) == {"cars": (0,)}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("persn", r"no such class; did you mean Person\?"),
        ("9", r"no such class"),
    ],
)
def test_a_class_that_cannot_be_kept_is_an_error(word, message):
    """An empty result would look like an empty street."""
    with pytest.raises(Misconfigured, match=message):
        class_ids(GROUPS, LABELS, [word])


@pytest.mark.parametrize(
    ("classes", "wanted"),
    [
        (["dog"], {"dog": (2,)}),
        (["2"], {"dog": (2,)}),
        (["DOG", "cars"], {"cars": (1, 3), "dog": (2,)}),
        (["dog", "person", "dog"], {"people": (0,), "dog": (2,)}),
        (["*"], {"cars": (1, 3), "people": (0,), "dog": (2,)}),
    ],
)
def test_a_label_in_no_group_is_a_group_of_its_own(classes, wanted):
    """No pipeline file is needed to count dogs; the pipeline's groups stay first."""
    assert class_ids(GROUPS, LABELS, classes) == wanted
    assert list(class_ids(GROUPS, LABELS, classes)) == list(wanted)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["traffic light", "cars!"], {"traffic-light": (0,), "cars-1": (1,)}),
        (["Hard hat", "hard-hat", "HARD HAT "], {"hard-hat": (0, 2), "hard-hat-1": (1,)}),
        (["вантажівка", "/../x"], {"class-0": (0,), "x": (1,)}),
    ],
)
def test_a_label_that_cannot_name_a_folder_is_made_to(labels, wanted):
    """Names of groups are names of folders and topics; none is that of a group of the pipeline, none comes twice."""
    assert class_ids(GROUPS, labels, labels) == wanted


def test_a_function_needs_no_pipeline_file_for_its_labels():
    """Groups that fit stay, those without a label go; where none fits each label is a group."""
    traffic, visdrone = load("traffic"), load("visdrone")

    assert list(traffic.fitted(["car"]).groups) == ["cars"]
    assert list(traffic.fitted(["person", "car"]).groups) == ["cars", "people"]
    assert traffic.fitted(["person", "car", "motorbike"]) is traffic
    assert visdrone.fitted(["person", "car"]) is visdrone
    balls = visdrone.fitted(["ball", "Goal post"])
    assert balls.groups == {"ball": ("ball",), "goal-post": ("Goal post",)}
    assert resolve(balls).detector().groups == ("ball", "goal-post")
    assert class_ids(resolve(balls).groups, ["ball", "Goal post"]) == {"ball": (0,), "goal-post": (1,)}


def test_two_wheelers_are_left_out_where_the_model_knows_none():
    """Quietly, as nobody asked for them; who names the group, or the rule, gets an error."""
    traffic = resolve(load("traffic"))
    asked = resolve(load("traffic"), None, Overrides(two_wheelers=True))

    assert class_ids(traffic.groups, ["person", "car"], (), traffic.optional) == {
        "cars": (1,),
        "people": (0,),
    }
    assert class_ids(traffic.groups, ["person", "car", "motor", "Cyclist"], (), traffic.optional) == {
        "cars": (1,),
        "people": (0,),
        "two-wheelers": (2, 3),
    }
    with pytest.raises(Misconfigured, match="group two-wheelers wants bicycle"):
        class_ids(traffic.groups, ["person", "car"], ["two-wheelers"], traffic.optional)
    with pytest.raises(Misconfigured, match="group two-wheelers wants bicycle"):
        class_ids(asked.groups, ["person", "car"], (), asked.optional)


def test_two_wheelers_may_be_switched_off():
    """The pipeline is then as if it had never named them."""
    resolved = resolve(load("traffic"), None, Overrides(two_wheelers=False))

    assert list(resolved.groups) == ["cars", "people"]
    assert resolved.detector().groups == ("cars", "people")
    assert (resolved.two_wheelers, resolved.optional) == (None, ())


def test_a_branch_of_two_wheelers_alone_goes_with_them(write):
    """No branch is left that would find nothing."""
    own = load(
        write(
            'name = "own"\n[groups]\nfolk = ["person"]\nbikes = ["bicycle"]\n[two_wheelers]\ngroup = "bikes"\n'
            'riders = "folk"\n[[branches]]\nname = "a"\ngroups = ["folk"]\n[[branches]]\nname = "b"\ngroups = ["bikes"]\n'
        )
    )

    assert [branch.name for branch in resolve(own).branches] == ["a", "b"]
    off = resolve(own, None, Overrides(two_wheelers=False))
    assert [(branch.name, branch.groups) for branch in off.branches] == [("a", ("folk",))]


@pytest.mark.parametrize("name", ["visdrone", "detect"])
def test_other_pipelines_have_no_two_wheelers(name):
    """They count as the systems that they replace; asking for the rule is an error."""
    assert resolve(load(name)).two_wheelers is None
    with pytest.raises(Misconfigured, match=rf"two_wheelers=: pipeline {name} names no two-wheelers"):
        resolve(load(name), None, Overrides(two_wheelers=True))


def test_a_users_own_groups_are_never_made_to_fit(write):
    """What a file says is meant: a label that was misspelt must not go unnoticed."""
    own = load(write(MINIMAL + 'cars = ["carr"]\n'))

    assert own.fitted(["car"]) is own


@given(st.lists(st.sampled_from(["car", "van", "person", "0", "1", "3", "cars", "People"]), max_size=4))
def test_a_filter_only_takes_away(classes):
    """Whatever is named, no class enters a group that is not in it."""
    whole, kept = class_ids(GROUPS, LABELS), class_ids(GROUPS, LABELS, classes)

    assert all(set(ids) <= set(whole[group]) for group, ids in kept.items())
    assert list(kept) == [group for group in whole if group in kept]


@pytest.mark.parametrize(
    ("card", "flags", "evidence", "high"),
    [
        ({}, {}, True, 0.6),
        ({"high": 0.5, "new": 0.55}, {}, False, 0.5),
        ({}, {"new_track_thresh": 0.8}, False, 0.6),
        ({}, {"evidence": False}, False, 0.6),
        ({"high": 0.5, "new": 0.55}, {"evidence": True}, True, 0.6),
        ({}, {"mode": "bytetrack"}, False, 0.6),
    ],
    ids=["nobody names one", "the card", "a flag", "off", "asked for", "bytetrack"],
)
def test_thresholds_are_those_of_the_video_unless_somebody_names_one(card, flags, evidence, high):
    """Who asks for it does not ask for the card's thresholds."""
    resolved = resolve(load("traffic"), Card(**card), Overrides(tracker=TrackerOverrides(**flags)))

    assert (resolved.tracker.evidence, resolved.tracker.track_high_thresh) == (evidence, high)


@pytest.mark.parametrize("threshold", ["track_high_thresh", "track_low_thresh", "new_track_thresh"])
def test_a_threshold_beside_evidence_is_refused(threshold):
    """It would be passed over where tracks are judged."""
    flags = TrackerOverrides(evidence=True, **{threshold: 0.3})

    with pytest.raises(Misconfigured, match=f"{threshold} names one"):
        resolve(load("traffic"), overrides=Overrides(tracker=flags))


def test_evidence_needs_the_quality_tracker():
    """The official one has thresholds of its own."""
    flags = TrackerOverrides(mode="bytetrack", evidence=True)

    with pytest.raises(Misconfigured, match="quality tracker only"):
        resolve(load("traffic"), overrides=Overrides(tracker=flags))
