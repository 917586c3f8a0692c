"""Every layout of the CASME family, 4DME and the SAMM long videos: written, read back, spoilt in the usual ways."""

import shutil

import numpy as np
import pandas as pd
import pytest
from toyset.written import cells_of, loaded, spoil, table_of, written

from microexpr.core.errors import DataError
from microexpr.data.catalog import load_data
from microexpr.data.layouts import LAYOUTS
from microexpr.pipelines import run
from microexpr.testing import check_loader

NAMES = ("casme", "casmesq", "casme3", "casme3-a-videos", "casme3-c-videos", "4dme", "samm-lv")
WITH_HEADER = tuple(name for name in NAMES if name != "casmesq")


def refusal(layout, folder, **options):
    with pytest.raises(DataError) as caught:
        loaded(layout, folder, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def header_row(rows):
    """The number of the row of names; None where there is no header."""
    found = [place for place, row in enumerate(rows) if any("onset" in str(cell).lower() for cell in row if cell)]
    return next((place for place in found if sum(cell is not None for cell in rows[place]) > 3), None)


def positions(rows):
    """The columns of subject, onset and offset, and the first row of data."""
    place = header_row(rows)
    if place is None:
        return 0, 2, 4, 0
    names = [str(cell).lower() for cell in rows[place]]
    onset = next(number for number, name in enumerate(names) if name.startswith("onset"))
    offset = next(number for number, name in enumerate(names) if name.startswith("offset"))
    return 0, onset, offset, place + 1


@pytest.mark.parametrize("quirks", [True, False])
@pytest.mark.parametrize("layout", NAMES)
def test_what_is_written_is_read_back(layout, quirks, tmp_path):
    expected = written(layout, tmp_path, quirks=quirks)
    found = loaded(layout, tmp_path)
    assert found.findings.empty
    pd.testing.assert_frame_equal(expected.table, found.table, check_like=True)
    for ours, theirs in zip(expected.clips, found.clips, strict=True):
        assert np.array_equal(ours.frames(), theirs.frames())


@pytest.mark.parametrize("layout", NAMES)
def test_the_loader_passes_the_checks_of_every_loader(layout, tmp_path):
    written(layout, tmp_path, n_subjects=1)
    check_loader(loaded, layout, tmp_path)


@pytest.mark.parametrize("layout", NAMES)
def test_it_is_loaded_labelled_and_run_under_loso_by_its_name(layout, tmp_path):
    written(layout, tmp_path, clips_per_subject=8)
    clips = load_data(f"{LAYOUTS[layout].loader}={tmp_path}")
    predictions = run("majority", clips, protocol="loso")
    assert sorted(predictions["clip_id"]) == sorted(clips.table.index)


@pytest.mark.parametrize("layout", NAMES)
def test_a_folder_without_a_table_says_what_was_looked_for(layout, tmp_path):
    written(layout, tmp_path, n_subjects=1, clips_per_subject=2)
    table = table_of(tmp_path)
    table.unlink()
    message = refusal(layout, tmp_path)
    assert table.name in message
    assert str(tmp_path) in message


@pytest.mark.parametrize("layout", NAMES)
def test_a_folder_without_frames_says_what_was_looked_for(layout, tmp_path):
    written(layout, tmp_path, n_subjects=1, clips_per_subject=2)
    for path in tmp_path.iterdir():
        if path.is_dir() and path.name != "annotation":
            shutil.rmtree(path)
    assert "no frames" in refusal(layout, tmp_path)


@pytest.mark.parametrize("layout", NAMES)
def test_an_xls_in_place_of_the_xlsx_is_refused_with_the_way_out(layout, tmp_path):
    written(layout, tmp_path, n_subjects=1, clips_per_subject=2)
    table = table_of(tmp_path)
    table.rename(table.with_suffix(".xls"))
    assert "save it as one" in refusal(layout, tmp_path)


@pytest.mark.parametrize("layout", NAMES)
def test_an_extra_sheet_changes_nothing(layout, tmp_path):
    from openpyxl import load_workbook

    expected = written(layout, tmp_path, n_subjects=1)
    book = load_workbook(table_of(tmp_path))
    book.create_sheet("Notes", 0).append(["coded by two coders"])
    book.save(table_of(tmp_path))
    assert loaded(layout, tmp_path).table.index.to_list() == expected.table.index.to_list()


@pytest.mark.parametrize("layout", WITH_HEADER)
def test_a_renamed_column_is_named(layout, tmp_path):
    written(layout, tmp_path, n_subjects=1, clips_per_subject=2)

    def rename(rows):
        place = header_row(rows)
        onset = positions(rows)[1]
        rows[place][onset] = "Beginning"

    spoil(tmp_path, rename)
    assert "no column 'on" in refusal(layout, tmp_path).lower()


@pytest.mark.parametrize("layout", NAMES)
def test_a_blank_subject_is_a_finding_that_names_the_row(layout, tmp_path):
    expected = written(layout, tmp_path)

    def blank(rows):
        subject, _, _, first = positions(rows)
        rows[first][subject] = None

    spoil(tmp_path, blank)
    message = refusal(layout, tmp_path)
    row = positions(cells_of(tmp_path))[3] + 1
    assert f"row {row} of {table_of(tmp_path).name}: subject ''" in message
    assert "allow_incomplete" in message
    clips = loaded(layout, tmp_path, allow_incomplete=True)
    assert len(clips) == len(expected) - 1


@pytest.mark.parametrize("layout", NAMES)
def test_an_onset_after_the_offset_is_a_finding_that_names_the_clip(layout, tmp_path):
    expected = written(layout, tmp_path, quirks=False)

    def swap(rows):
        _, onset, offset, first = positions(rows)
        rows[first][onset], rows[first][offset] = rows[first][offset], rows[first][onset]

    if layout.startswith("casme3"):
        # The onset is part of the clip's name here.
        def swap(rows):
            _, onset, offset, first = positions(rows)
            rows[first][offset] = int(rows[first][onset]) - 1

    spoil(tmp_path, swap)
    message = refusal(layout, tmp_path)
    assert "lies before" in message
    assert expected.table.index[0] in message
    left = loaded(layout, tmp_path, allow_incomplete=True)
    assert expected.table.index[0] not in left.table.index


@pytest.mark.parametrize("layout", NAMES)
def test_a_clip_or_video_without_images_is_a_finding(layout, tmp_path):
    expected = written(layout, tmp_path)
    source = expected.sources[expected.table.index[0]]
    folder = tmp_path.joinpath(source.describe())
    shutil.rmtree(folder)
    message = refusal(layout, tmp_path)
    assert "an annotation without frames" in message
    assert expected.table.index[0] in message
    left = loaded(layout, tmp_path, allow_incomplete=True)
    assert 0 < len(left) < len(expected)


@pytest.mark.parametrize("layout", NAMES)
def test_a_gap_in_the_frames_is_a_finding(layout, tmp_path):
    from pathlib import Path

    expected = written(layout, tmp_path)
    clip_id = expected.table.index[0]
    Path(expected.sources[clip_id].paths[1]).unlink()
    assert "has no file" in refusal(layout, tmp_path)


@pytest.mark.parametrize("layout", NAMES)
def test_no_image_is_opened_at_load(layout, tmp_path):
    expected = written(layout, tmp_path, n_subjects=1)
    for path in [*tmp_path.rglob("*.jpg"), *tmp_path.rglob("*.png")]:
        path.write_bytes(b"no image")
    clips = loaded(layout, tmp_path)
    assert len(clips) == len(expected)
    with pytest.raises(DataError, match="not an image"):
        clips.clips[0].frames()


def test_subjects_of_the_same_number_stay_apart_across_data_sets(tmp_path):
    specs = []
    for layout in ("casme", "casme3", "4dme", "casme2"):
        written(layout, tmp_path / layout)
        specs.append(f"{LAYOUTS[layout].loader}={tmp_path / layout}")
    clips = load_data(specs)
    assert clips.table["subject"].nunique() == 8
    assert {subject.partition("/")[0] for subject in clips.groups} == {"casme", "casme3", "4dme", "casme2"}


def test_people_of_parts_a_and_c_stay_apart(tmp_path):
    written("casme3", tmp_path / "a")
    written("casme3-c-videos", tmp_path / "c")
    together = load_data([f"casme3={tmp_path / 'a'}", f"casme3:part=C={tmp_path / 'c'}"])
    assert together.table["subject"].nunique() == 4
