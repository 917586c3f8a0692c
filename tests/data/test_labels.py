"""The named label maps, against the published counts."""

import pandas as pd
import pytest

from microexpr.core.errors import ParameterError
from microexpr.data.labels import LABEL_MAPS, label_map

# Counts of the 2014 table of CASME II, of SAMM's table and of SMIC-HS, from the data sets' papers.
CASME2 = {"others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25, "sadness": 7, "fear": 2}
SAMM = {
    **{"anger": 57, "contempt": 12, "disgust": 9, "fear": 8, "sadness": 6},
    **{"happiness": 26, "surprise": 15, "other": 26},
}
SMIC = {"negative": 70, "positive": 51, "surprise": 43}
LEFT_OUT = ("casme2/sub04/EP12_01f", "casme2/sub05/EP09_05f")


def table_of(dataset, counts, column="emotion"):
    emotions = [emotion for emotion, count in counts.items() for _ in range(count)]
    clip_ids = [f"{dataset}/s/{number}" for number in range(len(emotions))]
    if dataset == "casme2" and column == "emotion":
        disgusts = [place for place, emotion in enumerate(emotions) if emotion == "disgust"]
        for place, clip_id in zip(disgusts, LEFT_OUT, strict=False):
            clip_ids[place] = clip_id
    return pd.DataFrame({"dataset": dataset, column: emotions}, index=clip_ids)


def counted(name, *tables):
    labels, reasons = label_map(name).apply(pd.concat(tables))
    assert (labels.isna() == reasons.notna()).all()
    counts = labels.value_counts()
    return tuple(int(counts.get(one, 0)) for one in label_map(name).classes)


@pytest.mark.parametrize(
    ("dataset", "counts", "expected"),
    [("casme2", CASME2, (88, 32, 25)), ("samm", SAMM, (92, 26, 15)), ("smic", SMIC, (70, 51, 43))],
)
def test_megc2019_keeps_the_official_number_of_clips(dataset, counts, expected):
    assert counted("megc2019", table_of(dataset, counts)) == expected


def test_megc2019_of_all_three_sets_has_442_clips():
    tables = [table_of("casme2", CASME2), table_of("samm", SAMM), table_of("smic", SMIC)]
    assert counted("megc2019", *tables) == (250, 109, 83)


def test_megc2019_classes_are_in_the_order_of_the_official_labels():
    assert label_map("megc2019").classes == ("negative", "positive", "surprise")


@pytest.mark.parametrize("clip_id", LEFT_OUT)
def test_megc2019_leaves_out_the_two_clips_by_name_with_a_reason(clip_id):
    labels, reasons = label_map("megc2019").apply(table_of("casme2", CASME2))
    assert pd.isna(labels[clip_id])
    assert reasons[clip_id].startswith("left out by the megc2019 protocol: its apex is")


@pytest.mark.parametrize("emotion", ["others", "sadness", "fear"])
def test_megc2019_drops_emotions_of_casme2_with_a_reason(emotion):
    labels, reasons = label_map("megc2019").apply(table_of("casme2", {emotion: 1}))
    assert pd.isna(labels.iloc[0])
    assert reasons.iloc[0] == f"emotion {emotion!r} has no class in megc2019"


@pytest.mark.parametrize("emotion", ["sadness", "fear", "anger", "contempt", "disgust"])
def test_megc2019_keeps_as_negative_what_samm_calls_so(emotion):
    assert counted("megc2019", table_of("samm", {emotion: 1})) == (1, 0, 0)


@pytest.mark.parametrize("dataset", ["casme2", "samm", "smic", "synthetic"])
def test_megc2019_lets_ready_labels_pass(dataset):
    assert counted("megc2019", table_of(dataset, {"negative": 3, "positive": 2, "surprise": 1})) == (3, 2, 1)


def test_megc2019_knows_every_emotion_of_synthetic_clips_but_others():
    counts = dict.fromkeys(
        ("happiness", "disgust", "repression", "surprise", "sadness", "fear", "anger", "contempt", "others"), 1
    )
    assert counted("megc2019", table_of("synthetic", counts)) == (6, 1, 1)


@pytest.mark.parametrize("spelling", ["Happiness", " happiness ", "HAPPINESS"])
def test_case_and_blanks_of_an_emotion_do_not_matter(spelling):
    assert counted("megc2019", table_of("casme2", {spelling: 1})) == (0, 1, 0)


def test_casme2_5_keeps_246_clips():
    assert label_map("casme2-5").classes == ("others", "disgust", "happiness", "repression", "surprise")
    assert counted("casme2-5", table_of("casme2", CASME2)) == (99, 63, 32, 27, 25)


def test_casme2_7_keeps_255_clips():
    assert sum(counted("casme2-7", table_of("casme2", CASME2))) == 255


def test_objective_5_keeps_classes_1_to_5_of_casme2():
    # 25, 15, 99, 26, 20, then VI 1 and VII 69.
    counts = dict(zip("1234567", (25, 15, 99, 26, 20, 1, 69), strict=True))
    assert counted("objective-5", table_of("casme2", counts, "objective")) == (25, 15, 99, 26, 20)


def test_objective_5_reads_roman_numerals_alike():
    counts = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}
    assert counted("objective-5", table_of("samm", counts, "objective")) == (1, 2, 3, 4, 5)


def test_objective_5_names_the_column_the_data_lacks():
    with pytest.raises(ParameterError, match="reads the column 'objective', which the data lacks"):
        label_map("objective-5").apply(table_of("casme2", CASME2))


def test_data_set_without_a_rule_is_named():
    with pytest.raises(ParameterError, match="'casme2-5' has no rule for data set 'smic'"):
        label_map("casme2-5").apply(table_of("smic", SMIC))


def test_unknown_map_lists_those_there_are():
    with pytest.raises(ParameterError) as caught:
        label_map("megc2020")
    assert str(caught.value) == (
        "label map 'megc2020' does not exist; there are megc2019, casme2-5, casme2-7, objective-5"
    )


@pytest.mark.parametrize("name", LABEL_MAPS)
def test_rules_give_classes_of_the_map_and_are_spelt_in_lower_case(name):
    for rules in LABEL_MAPS[name].emotions.values():
        assert set(rules.values()) <= set(LABEL_MAPS[name].classes)
        assert all(emotion == emotion.lower() for emotion in rules)
