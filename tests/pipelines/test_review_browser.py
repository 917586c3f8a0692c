"""A reviewer at work: the page in Chromium, driven by mouse and keyboard, and what it saves."""

import shutil
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from toyset.eafschema import check_eaf
from toyset.films import RAMP, ramp, write_film
from toyset.watchedcases import CLASSES, NAN, events, no_events, watched

from microexpr.data import make_videos
from microexpr.pipelines.review import read_eaf, read_events_csv, write_review
from microexpr.pipelines.review.tables import csv_text, review_table, with_times

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome on the path")

N_FRAMES = 90
FPS = 29.97
SHOWN = "document.getElementById('video')"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """A page of a synthetic face, with seven events that a model named; and what was found."""
    folder = tmp_path_factory.mktemp("review")
    source = make_videos(1, 1, seed=3, seconds=4, fps=25, micro=1, macro=0).sources["synthetic-long/sub01/V01"]
    frames = np.repeat(source.window(0, N_FRAMES).read()[..., np.newaxis], 3, axis=3)
    found = watched(write_film(folder / "face.mp4", frames, fps=25), table=events())
    write_review(folder / "review.html", found)
    return folder / "review.html", review_table(found)


@pytest.fixture(scope="module")
def window(browser):
    """A window that most tests share: a new one takes as long as a test."""
    return _window(browser)


def _window(browser, *, width=1280, height=900):
    """Open a window; it remembers what went wrong, and what was asked of anything but files and the page itself."""
    page = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True).new_page()
    page.wrong = []
    page.on("console", lambda said: page.wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    local = ("file:", "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(local) else page.wrong.append(asked.url))
    return page


@contextmanager
def opened(page, path):
    """Open the page of a review as one that was never opened; nothing may go wrong on it."""
    page.goto(path.as_uri())
    until(page, f"{SHOWN}.readyState >= 2")
    try:
        yield page
        assert page.wrong == []
    finally:
        page.wrong.clear()
        page.evaluate("() => { try { localStorage.clear(); } catch { /* there is none */ } }")


def until(page, condition):
    """Wait until a condition holds; the page lets nobody but the debugger evaluate it."""
    for _ in range(400):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"not within ten seconds: {condition}")


def press(page, keys):
    for key in keys.split():
        page.keyboard.press(key)


def saved(page, tmp_path):
    """Save both files and return their tables, which must agree."""
    tables = []
    for button, name, read in (("#save-csv", "reviewed.csv", read_events_csv), ("#save-eaf", "reviewed.eaf", read_eaf)):
        with page.expect_download() as download:
            page.click(button)
        download.value.save_as(tmp_path / name)
        tables.append(read(tmp_path / name))
    check_eaf(tmp_path / "reviewed.eaf")
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    return tables[0]


def same(saved_table, expected):
    expected = with_times(expected.sort_values(["onset", "offset", "event"]), FPS)
    pd.testing.assert_frame_equal(saved_table, expected, check_exact=True)


def changed(table, event, **fields):
    """Return the table with other fields of one event."""
    table = table.copy()
    for name, value in fields.items():
        table.loc[table["event"] == event, name] = value
    return table


def added(table, **fields):
    """Return the table with one more event."""
    plain = {name: "" for name in table if table[name].dtype == "str"} | {"review": "added"}
    return pd.concat([table, pd.DataFrame([plain | fields])], ignore_index=True)


def frame_of(page):
    return int(page.inner_text("#clock").split("frame ")[1])


def test_the_video_and_the_close_up_play(window, review):
    with opened(window, review[0]) as page:
        assert page.evaluate(f"[{SHOWN}.videoWidth, {SHOWN}.videoHeight]") == [120, 140]
        press(page, "Space")
        until(page, f"{SHOWN}.currentTime > 0.2")
        press(page, "Space")
        assert page.evaluate(f"{SHOWN}.paused")
        page.click("tr[data-event=E002] button")
        until(page, "document.getElementById('clip').currentTime > 0.2")
        assert page.evaluate("document.getElementById('clip').videoWidth") > 200
        assert page.evaluate("document.getElementById('arrows').complete")
        assert page.evaluate("document.getElementById('arrows').naturalWidth") > 200
        press(page, "p")
        until(page, f"!{SHOWN}.paused && {SHOWN}.playbackRate === 0.25")


def test_steps_show_the_frame_that_they_name(window, tmp_path):
    film = write_film(tmp_path / "ramp.mp4", ramp(60, size=(140, 120)))
    write_review(tmp_path / "review.html", watched(film, table=no_events(), n_frames=60, fps=25.0))
    light = f"""() => new Promise((done) => {{
      const look = () => {{
        const pen = new OffscreenCanvas(1, 1).getContext("2d");
        pen.drawImage({SHOWN}, 0, 0, 1, 1);
        done(pen.getImageData(0, 0, 1, 1).data[1]);
      }};
      if ({SHOWN}.seeking) {SHOWN}.addEventListener("seeked", look, {{ once: true }});
      else look();
    }})"""
    with opened(window, tmp_path / "review.html") as page:
        for keys, frame in ((". . .", 3), ("Shift+ArrowRight", 13), (",", 12), ("> > > > >", 59), ("ArrowLeft", 58)):
            press(page, keys)
            assert frame_of(page) == frame
            assert page.evaluate(light) == pytest.approx(20 + RAMP * frame, abs=1.6)


def test_verdicts_labels_and_comments_are_saved(window, review, tmp_path):
    path, table = review
    with opened(window, path) as page:
        page.click("tr[data-event=E002]")
        assert frame_of(page) == 12
        assert page.inner_text("#event-title") == "E002 · micro · happiness"
        assert [page.inner_text(f"#bars dd:nth-of-type({place})") for place in (2, 4)] == ["70.0%", "30.0%"]
        assert page.inner_text("#units-said") == "R6+12"
        press(page, "a j r j a a j l")
        page.keyboard.type('sad, "very"')
        press(page, "Enter j")
        page.select_option("#kind", "macro")
        page.fill("#comment", "<b>& mouth</b>")
        page.keyboard.press("Enter")
        page.click(".block[data-event=E007]")
        page.click("#accept")
        expected = changed(table, "E002", review="accepted")
        expected = changed(expected, "E003", review="rejected")
        # The fourth was accepted and taken back; E005 is a fifth.
        expected = changed(expected, "E005", reviewer_label='sad, "very"')
        expected = changed(expected, "E006", kind="macro", comment="<b>& mouth</b>")
        same(saved(page, tmp_path), changed(expected, "E007", review="accepted"))


def test_action_units_are_shown_where_the_model_told_them(window, review):
    with opened(window, review[0]) as page:
        for event, units in (("E007", "1+2+R5"), ("E003", None), ("E004", "12"), ("E006", None)):
            page.click(f"tr[data-event={event}]")
            assert page.is_visible("#units") == (units is not None)
            if units is not None:
                assert page.inner_text("#units").startswith(f"Action units {units} ")
            # The model gave probabilities for expressions alone.
            assert page.is_visible("#bars") == (event != "E006")


def test_a_label_of_the_model_is_none_of_the_reviewers(window, review, tmp_path):
    path, table = review
    with opened(window, path) as page:
        page.click("tr[data-event=E002]")
        for said in ("fear", CLASSES[0]):
            press(page, "l")
            page.keyboard.type(said)
            press(page, "Enter")
        assert page.inner_text("#event-title") == "E002 · micro · happiness"
        press(page, "l")
        page.keyboard.type("nothing of this")
        press(page, "Escape")
        same(saved(page, tmp_path), table)


def test_events_are_added_deleted_and_brought_back_by_keyboard(window, review, tmp_path):
    path, table = review
    with opened(window, path) as page:
        press(page, "n")
        assert "Mark the first frame" in page.inner_text("#status")
        press(page, "> > . . o < < i n")
        assert page.inner_text("#event-title") == "A001 · macro"
        assert page.is_disabled("#accept")
        press(page, "l")
        page.keyboard.type("fear")
        press(page, "Enter > > > i . o n")
        # Scores rise from frame to frame, and there is one for each other frame.
        one = added(table, event="A001", kind="macro", onset=2, apex=22, offset=22, reviewer_label="fear")
        two = added(one, event="A002", kind="micro", onset=52, apex=52, offset=53)
        same(saved(page, tmp_path), two)
        press(page, "Delete")
        same(saved(page, tmp_path), one)
        press(page, "z")
        same(saved(page, tmp_path), two)
        press(page, "z z z z z z z")
        assert page.inner_text("#status") == "There is nothing to undo."
        same(saved(page, tmp_path), table)
        press(page, "Shift+Z Shift+Z Shift+Z")
        same(saved(page, tmp_path), two)
        page.click("tr[data-event=E002]")
        press(page, "Delete")
        assert "Only events that you added can be deleted" in page.inner_text("#status")


def test_edges_are_dragged_and_moved_by_keys_and_numbers(window, review, tmp_path):
    path, table = review
    with opened(window, path) as page:
        press(page, "0")
        page.click("tr[data-event=E006]")
        box = page.locator("#inner").bounding_box()
        # The timeline has 14 pixels of margin on either side; frames share the rest.
        x = lambda frame: box["x"] + 14 + (frame + 0.5) * (box["width"] - 28) / N_FRAMES  # noqa: E731
        for name, frame in (("onset", 47), ("offset", 60)):
            edge = page.locator(f".block.selected .edge.{name}").bounding_box()
            page.mouse.move(edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2)
            page.mouse.down()
            page.mouse.move(x(50), edge["y"] + 5)
            page.mouse.move(x(frame), edge["y"] + 5)
            page.mouse.up()
        assert page.inner_text("#event-title") == "E006 · blink"
        # The apex was frame 45, before the new onset.
        dragged = changed(table, "E006", onset=47, apex=47, offset=60)
        same(saved(page, tmp_path), dragged)
        press(page, ". ] , , , [")
        same(saved(page, tmp_path), changed(dragged, "E006", onset=58, apex=58, offset=61))
        press(page, "z z")
        same(saved(page, tmp_path), dragged)
        press(page, "z z")
        same(saved(page, tmp_path), table)
        page.fill("#offset", "80")
        page.keyboard.press("Enter")
        page.fill("#apex", "81")
        page.keyboard.press("Enter")
        assert "apex must be a frame of the video" in page.inner_text("#status")
        assert page.input_value("#apex") == "45"
        same(saved(page, tmp_path), changed(table, "E006", offset=80))


def test_a_click_on_the_timeline_goes_there_and_zoom_keeps_the_place(window, review):
    with opened(window, review[0]) as page:
        for zoomed in (False, True):
            if zoomed:
                page.click("#zoom-in")
                page.click("#zoom-in")
            box = page.locator("#scroller").bounding_box()
            inner = page.locator("#inner").bounding_box()
            place = box["x"] + 0.4 * box["width"]
            page.mouse.click(place, box["y"] + 50)
            assert frame_of(page) == int((place - inner["x"] - 14) / (inner["width"] - 28) * N_FRAMES)
        assert inner["width"] > 2 * box["width"]


def test_a_closed_tab_loses_nothing(window, review, tmp_path):
    path, table = review
    window.goto(path.as_uri())
    window.click("tr[data-event=E002]")
    press(window, "r i . o n")
    window.goto("about:blank")
    with opened(window, path) as page:
        assert page.inner_text("#status") == "2 changes of an earlier visit are taken up."
        expected = changed(table, "E002", review="rejected")
        same(saved(page, tmp_path), added(expected, event="A001", kind="micro", onset=12, apex=12, offset=13))


def test_a_saved_table_is_taken_up_by_another_browser(window, review, tmp_path):
    path, table = review
    with opened(window, path) as page:
        page.click("tr[data-event=E004]")
        press(page, "a i > o n")
        page.fill("#comment", 'two, "quoted"')
        press(page, "Enter")
        before = saved(page, tmp_path)
    with opened(window, path) as page:
        page.set_input_files("#load", tmp_path / "reviewed.csv")
        page.wait_for_selector("#status:has-text('8 events loaded, 2 of them changed.')")
        pd.testing.assert_frame_equal(saved(page, tmp_path), before, check_exact=True)
        page.keyboard.press("z")
        same(saved(page, tmp_path), table)


def test_a_table_saved_before_there_were_action_units_is_taken_up(window, review, tmp_path):
    path, table = review
    old = added(changed(table, "E004", review="accepted"), event="A001", kind="micro", onset=30, apex=31, offset=33)
    old = with_times(old, FPS)
    (tmp_path / "old.csv").write_text(csv_text(old.drop(columns="action_units")))
    with opened(window, path) as page:
        page.set_input_files("#load", tmp_path / "old.csv")
        page.wait_for_selector("#status:has-text('8 events loaded, 2 of them changed.')")
        same(saved(page, tmp_path), old)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("event,", "other,", "it lacks the column event"),
        ("micro,10,", "micro,14,", "E002: onset, apex and offset are out of order"),
        ("micro,10,", "smile,10,", "E002: there is no kind smile"),
        ("E002,", "E020,", "E002 is not in it; it may be of another video"),
        ("E003,", "E002,", "two events share a name"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_in_one_line(window, review, tmp_path, old, new, words):
    text = csv_text(review[1])
    assert old in text
    (tmp_path / "spoiled.csv").write_text(text.replace(old, new, 1).replace(",,,\n", ",accepted,,\n"))
    with opened(window, review[0]) as page:
        page.set_input_files("#load", tmp_path / "spoiled.csv")
        page.wait_for_selector("#status.wrong")
        assert words in page.inner_text("#status")
        assert page.inner_text("#counts") == "7 events, 0 reviewed"


def test_a_browser_that_keeps_nothing_is_said_and_still_works(browser, review, tmp_path):
    path, table = review
    own = _window(browser)
    own.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no storage'); } });")
    with opened(own, path) as page:
        assert "save your review before you close the page" in page.inner_text("#storage-note")
        page.click("tr[data-event=E002]")
        press(page, "a")
        same(saved(page, tmp_path), changed(table, "E002", review="accepted"))


def test_help_opens_and_closes_and_keys_rest_meanwhile(window, review, tmp_path):
    path, table = review
    with opened(window, path) as page:
        page.click("tr[data-event=E002]")
        press(page, "?")
        assert page.is_visible("#help")
        press(page, "a r Escape")
        assert not page.is_visible("#help")
        same(saved(page, tmp_path), table)


def test_a_phone_shows_all_without_scrolling_sideways(browser, review):
    with opened(_window(browser, width=390, height=844), review[0]) as page:
        page.click("tr[data-event=E002]")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        for name in ("#video", "#curve", "#accept", "#clip", "#bars", "#save-csv"):
            box = page.locator(name).bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390


def test_a_page_without_model_and_events_takes_what_the_reviewer_sees(window, tmp_path):
    film = write_film(tmp_path / "ramp.mp4", ramp(30))
    found = watched(film, table=no_events(), n_frames=30, fps=25.0, scores=np.full(15, NAN))
    write_review(tmp_path / "review.html", found, largest_video=0)
    with opened(window, tmp_path / "review.html") as page:
        assert "No event was found" in page.inner_text("#empty")
        assert "no model" in page.inner_text("header")
        press(page, "a r l j k p Delete z i > . o n")
        table = saved(page, tmp_path)
        assert not page.is_visible("#chances")
        assert "press P to play it from the video" in page.inner_text("#no-closeup")
        assert table[["event", "kind", "onset", "apex", "offset", "duration"]].to_numpy().tolist() == [
            ["A001", "micro", 0, 5, 11, 12 / 25]
        ]


def test_a_missing_video_beside_the_page_is_said(browser, tmp_path):
    film = write_film(tmp_path / "ramp.mp4", ramp(30))
    write_review(tmp_path / "review.html", watched(film, table=no_events(), n_frames=30, fps=25.0), largest_video=0)
    (tmp_path / "review_video.webm").rename(tmp_path / "elsewhere.webm")
    page = _window(browser)
    page.goto((tmp_path / "review.html").as_uri())
    page.wait_for_selector("#video-note:visible")
    assert page.inner_text("#video-note") == "The video cannot be shown: review_video.webm must lie beside this page."
