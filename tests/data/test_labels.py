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
# From the papers of CK+ and MMEW.
CKPLUS = {"anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happy": 69, "sadness": 28, "surprise": 83}
MMEW = {"happiness": 36, "surprise": 89, "anger": 8, "disgust": 72, "fear": 16, "sadness": 13, "others": 66}
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


def test_samm_5_keeps_136_clips():
    assert label_map("samm-5").classes == ("anger", "contempt", "happiness", "surprise", "other")
    assert counted("samm-5", table_of("samm", SAMM)) == (57, 12, 26, 15, 26)


def test_samm_5_reads_the_spelling_of_the_table():
    spelt = {emotion.capitalize(): count for emotion, count in SAMM.items()}
    assert sum(counted("samm-5", table_of("samm", spelt))) == 136


def test_ckplus_7_keeps_the_327_labelled_sequences():
    assert counted("ckplus-7", table_of("ckplus", CKPLUS)) == (45, 18, 59, 25, 69, 28, 83)


def test_megc2019_gives_ck_plus_its_three_classes():
    assert counted("megc2019", table_of("ckplus", CKPLUS)) == (175, 69, 83)


def test_mmew_maps_keep_234_and_300_clips():
    assert counted("mmew-6", table_of("mmew", MMEW)) == (36, 89, 8, 72, 16, 13)
    assert sum(counted("mmew-7", table_of("mmew", MMEW))) == 300


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
    assert str(caught.value) == f"label map 'megc2020' does not exist; there are {', '.join(LABEL_MAPS)}"


@pytest.mark.parametrize("name", LABEL_MAPS)
def test_rules_give_classes_of_the_map_and_are_spelt_in_lower_case(name):
    for rules in LABEL_MAPS[name].emotions.values():
        assert set(rules.values()) <= set(LABEL_MAPS[name].classes)
        assert all(emotion == emotion.lower() for emotion in rules)


@pytest.mark.parametrize(
    ("name", "dataset", "spelt", "label"),
    [
        ("megc2019", "casme", "repression", "negative"),
        ("megc2019", "casme3", "Happy", "positive"),
        ("megc2019", "casmesq", "negative", "negative"),
        ("megc2019", "4dme", "Surprise", "surprise"),
        ("casme-4", "casme", "tense", "tense"),
        ("casme-5", "casme", "tense", "other"),
        ("casmesq-4", "casmesq", "others", "others"),
        ("casme3-7", "casme3", "Others", "others"),
        ("casme3-7", "casme3", "sad", "sadness"),
        ("casme3-4", "casme3", "anger", "negative"),
        ("4dme-5", "4dme", "Repression", "repression"),
    ],
)
def test_emotions_of_the_casme_family_and_of_4dme_are_understood_as_they_spell_them(name, dataset, spelt, label):
    labels, _ = label_map(name).apply(table_of(dataset, {spelt: 1}))
    assert labels.to_list() == [label]


@pytest.mark.parametrize(("dataset", "spelt"), [("casme", "tense"), ("casmesq", "others"), ("4dme", "repression")])
def test_emotions_without_a_place_in_the_three_classes_are_dropped(dataset, spelt):
    assert counted("megc2019", table_of(dataset, {spelt: 1})) == (0, 0, 0)


def test_micro_macro_reads_the_kind():
    assert counted("micro-macro", table_of("casmesq", {"micro": 2, "macro": 3}, "kind")) == (2, 3)
