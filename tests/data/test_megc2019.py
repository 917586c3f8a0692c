"""The composite of MEGC 2019 from three folders, against the official counts."""

import shutil
from itertools import chain

import pytest
from toyset.casme2 import TABLE_2014, TABLE_2019
from toyset.casme2 import Toy as Casme2Toy
from toyset.casme2 import write_table as write_casme2_table
from toyset.samm import TABLE as SAMM_TABLE
from toyset.samm import TYPOS
from toyset.samm import Toy as SammToy
from toyset.samm import write_table as write_samm_table
from toyset.tables import write_empty

from microexpr.core.errors import DataError, ParameterError
from microexpr.data.catalog import load_data
from microexpr.data.megc2019 import load_megc2019

LEFT_OUT = {"sub04/EP12_01f", "sub05/EP09_05f"}
# Clips of each emotion in the 2014 table of CASME II and in SAMM's (the classes of the challenge's list follow).
CASME2 = {"disgust": 63, "repression": 27, "happiness": 32, "surprise": 25, "others": 99, "sadness": 7, "fear": 2}
SAMM = {
    "Anger": 57,
    "Contempt": 12,
    "Disgust": 9,
    "Fear": 8,
    "Sadness": 6,
    "Happiness": 26,
    "Surprise": 15,
    "Other": 26,
}
SMIC = {"negative": ("ne", 70), "positive": ("po", 51), "surprise": ("sur", 43)}


def casme2_toys():
    """255 clips; the kept ones are of 24 subjects, sub04 EP12_01f and sub05 EP09_05f as in the real table."""
    emotions = list(chain.from_iterable([emotion] * count for emotion, count in CASME2.items()))
    toys = [
        Casme2Toy("04", "EP12_01f", 1, "/", 2, "disgust", "4", range(1, 3)),
        Casme2Toy("05", "EP09_05f", 1, 1, 2, "repression", "4", range(1, 3)),
    ]
    emotions.remove("disgust")
    emotions.remove("repression")
    for place, emotion in enumerate(emotions):
        number = 24 + place % 3 if emotion in ("others", "sadness", "fear") else 1 + place % 24
        toys.append(Casme2Toy(number, f"EP50_{place:03d}", 1, 2, 2, emotion, "1", range(1, 3)))
    return toys


def samm_toys():
    """159 clips; the kept ones are of 28 subjects, two of them with the impossible apexes of the real table."""
    emotions = list(chain.from_iterable([emotion] * count for emotion, count in SAMM.items()))
    for toy in TYPOS:
        emotions.remove(str(toy.emotion))
    toys = list(TYPOS)
    for place, emotion in enumerate(emotions):
        number = 6 + place % 28 if emotion != "Other" else 37
        subject = f"{number:03d}"
        toys.append(SammToy(subject, f"{subject}_9_{place}", 1, 2, 2, emotion, "1", "I", range(1, 3)))
    return toys


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The three data sets with all their clips, of two empty files each: loaders open no image."""
    root = tmp_path_factory.mktemp("megc2019")
    write_casme2_table(root / "CASME2" / TABLE_2014, casme2_toys())
    for toy in casme2_toys():
        write_empty(root / "CASME2/Cropped" / toy.folder, [f"reg_img{number}.jpg" for number in toy.numbers])
    write_samm_table(root / "SAMM" / SAMM_TABLE, samm_toys())
    for toy in samm_toys():
        write_empty(root / "SAMM" / toy.folder, [f"{toy.folder[:3]}_{number:05d}.jpg" for number in toy.numbers])
    numbers = (1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 14, 15, 18, 19, 20)
    for emotion, (code, count) in SMIC.items():
        for place in range(count):
            subject = numbers[place % 16]
            name = f"s{subject}/micro/{emotion}/s{subject}_{code}_{1 + place // 16:02d}"
            write_empty(root / "SMIC/SMIC_all_cropped/HS" / name, ["image1.bmp", "image2.bmp"])
    return {"casme2": root / "CASME2", "samm": root / "SAMM", "smic": root / "SMIC"}


@pytest.fixture
def later(folders, tmp_path):
    """CASME II with the table of 2019 alone: three clips of `others` are relabelled."""
    toys = casme2_toys()
    changed = [place for place, toy in enumerate(toys) if (toy.subject, toy.emotion) == (24, "others")][:3]
    for place in changed:
        old = toys[place]
        toys[place] = Casme2Toy(old.subject, old.filename, 1, 2, 2, "disgust", "1", old.numbers)
    root = tmp_path / "CASME2"
    shutil.copytree(folders["casme2"] / "Cropped", root / "Cropped")
    write_casme2_table(root / TABLE_2019, toys, objective=True)
    return root


def refusal(**arguments):
    with pytest.raises(DataError) as caught:
        load_megc2019(**arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_it_has_the_official_counts(folders):
    clips = load_megc2019(**folders, corrections="samm-apex")
    table = clips.table
    assert (len(clips), table["subject"].nunique()) == (442, 68)
    assert table["dataset"].value_counts().to_dict() == {"smic": 164, "casme2": 145, "samm": 133}
    assert table.groupby("dataset")["subject"].nunique().to_dict() == {"casme2": 24, "samm": 28, "smic": 16}
    assert table["label"].value_counts().to_dict() == {"negative": 250, "positive": 109, "surprise": 83}
    assert (clips.labels, clips.classes) == ("megc2019", ("negative", "positive", "surprise"))


def test_the_two_left_out_clips_are_listed_by_name(folders):
    dropped = load_megc2019(**folders, corrections="samm-apex").dropped.set_index("clip_id")["reason"]
    for name in LEFT_OUT:
        assert dropped[f"casme2/{name}"].startswith("left out by the megc2019 protocol")
    assert len(dropped) == 255 - 145 + 159 - 133


def test_the_spec_loads_the_same_clips(folders):
    named = ",".join(f"{name}={folder}" for name, folder in folders.items())
    by_spec = load_data(f"megc2019:{named},corrections=samm-apex")
    by_hand = load_megc2019(**folders, corrections="samm-apex")
    assert by_spec.table.equals(by_hand.table)
    assert by_spec.dropped.equals(by_hand.dropped)


def test_samm_without_corrections_is_refused_with_their_name(folders):
    message = refusal(**folders)
    assert "028_4_1" in message
    assert "samm-apex" in message


def test_missing_clips_are_a_deviation_that_is_named(folders):
    message = refusal(**folders, allow_incomplete=True)
    assert "not the composite of MEGC 2019: SAMM has 131 clips, not 133" in message
    assert "megc2019:strict=no" in message
    clips = load_megc2019(**folders, allow_incomplete=True, strict=False)
    assert len(clips) == 440
    assert "SAMM has 131 clips, not 133" in clips.findings["finding"].to_list()


def test_other_classes_are_a_deviation(folders, tmp_path):
    root = tmp_path / "SMIC"
    shutil.copytree(folders["smic"], root)
    person = root / "SMIC_all_cropped/HS/s1/micro"
    (person / "negative/s1_ne_01").rename(person / "positive/s1_po_99")
    message = refusal(**{**folders, "smic": root}, corrections="samm-apex")
    assert "SMIC-HS has 69/52/43 clips of the classes, not 70/51/43" in message


def test_table_of_2019_is_refused_with_the_reason(folders, later):
    message = refusal(**{**folders, "casme2": later}, corrections="samm-apex")
    for words in ("the coding table of 2014", "relabels three clips of subject 24", "148 clips instead of 145"):
        assert words in message


def test_table_of_2019_is_used_when_asked_for(folders, later):
    clips = load_megc2019(**{**folders, "casme2": later}, table="2019", corrections="samm-apex")
    assert (clips.table["dataset"] == "casme2").sum() == 148
    assert clips.table["subject"].nunique() == 68


def test_table_of_2014_is_used_where_both_are(folders, later):
    shutil.copy(folders["casme2"] / TABLE_2014, later)
    assert len(load_megc2019(**{**folders, "casme2": later}, corrections="samm-apex")) == 442


@pytest.mark.parametrize("arguments", [{"table": "2015"}, {"strict": "no"}])
def test_bad_arguments_are_named(folders, arguments):
    name = next(iter(arguments))
    with pytest.raises(ParameterError, match=f"{name} is '"):
        load_megc2019(**folders, **arguments)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("megc2019", "megc2019 needs casme2, samm, smic; write megc2019:casme2=DIR,samm=DIR,smic=DIR"),
        ("megc2019:casme2=/a,samm=/b", "megc2019 needs smic"),
        ("megc2019=/a", "write megc2019:casme2=DIR,samm=DIR,smic=DIR"),
        ("megc2019:casme2=/a,samm=/b,smic=/c,strict=maybe", "strict is 'maybe': it must be yes or no"),
        ("megc2019:casme2=,samm=/b,smic=/c", "casme2 is '': a value is needed"),
        ("megc2019:casme2", "cannot be read; write megc2019:casme2=DIR,samm=DIR,smic=DIR, or options as in"),
    ],
)
def test_spec_that_cannot_be_read_says_how_to_write_it(spec, words):
    with pytest.raises(ParameterError) as caught:
        load_data(spec)
    assert words in str(caught.value)


def test_missing_folder_of_a_part_is_named(folders):
    assert refusal(**{**folders, "casme2": "/nowhere"}) == "/nowhere: no such folder"
