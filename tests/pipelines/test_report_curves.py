"""Curves of losses in the report: which lines there are, read back from the drawing."""

import re

import numpy as np
import pytest

from microexpr.pipelines.report.figures import curves_svg


def lines(picture, width):
    """The lines of a width inside the axes, an array of points each, in the drawing's coordinates."""
    found = []
    for path, style in re.findall(r'<path d="([^"]+)" clip-path[^>]*style="([^"]+)"', picture):
        if re.search(rf"stroke-width: {width}(;|$)", style):
            found.append(np.array(re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path), float))
    return found


def names(picture):
    """The words of the legend."""
    texts = re.findall(r"<text[^>]*>(.*?)</text>", picture)
    return [text for text in texts if text.startswith(("train", "valid"))]


def test_a_thin_line_is_a_fold_and_the_thick_one_their_mean_while_all_folds_train():
    folds = [{"train_class": [1.0, 2.0, 3.0]}, {"train_class": [3.0, 2.0, 1.0, 0.5, 4.0]}]
    picture = curves_svg(folds)
    first, second = lines(picture, 0.4)
    [mean] = lines(picture, 1.8)
    assert (len(first), len(second), len(mean)) == (3, 5, 3)
    # The mean is 2 in each of the three epochs, as both folds are in the second.
    np.testing.assert_allclose(mean[:, 1], second[1, 1])
    np.testing.assert_allclose(first[1], second[1])
    np.testing.assert_allclose(mean[:, 0], second[:3, 0])
    # Downwards in the drawing is less loss, in proportion: from 4 to 2 twice as far as from 3 to 2.
    assert second[1, 1] - second[4, 1] == pytest.approx(2 * (second[1, 1] - second[0, 1]), abs=1e-4)


def test_a_single_loss_is_not_drawn_again_as_its_own_sum():
    alone = curves_svg([{"train_class": [2.0, 1.0], "train_loss": [2.0, 1.0]}])
    assert names(alone) == ["train class"]
    assert (len(lines(alone, 0.4)), len(lines(alone, 1.8))) == (1, 1)


def test_several_losses_are_drawn_with_their_sum():
    several = {"train_class": [2.0, 1.0], "train_domain": [0.5, 0.6], "train_loss": [2.5, 1.6]}
    picture = curves_svg([several, several])
    assert names(picture) == ["train class", "train domain", "train loss"]
    assert (len(lines(picture, 0.4)), len(lines(picture, 1.8))) == (6, 3)


def test_of_losses_on_held_out_subjects_a_single_one_is_not_drawn_twice_either():
    single = {f"{kind}_{name}": [2.0, 1.0] for kind in ("train", "valid") for name in ("class", "loss")}
    assert names(curves_svg([single])) == ["train class", "valid class"]
    assert len(lines(curves_svg([single]), 0.4)) == 2
    assert names(curves_svg([{"train_loss": [2.0, 1.0]}])) == ["train loss"]


def test_up_to_2000_points_are_lines_and_more_are_a_picture():
    folds = [{"train_class": list(np.linspace(1, 0, 100))}] * 20
    few = curves_svg(folds)
    assert "<image" not in few
    assert len(lines(few, 0.4)) == 20
    many = curves_svg([*folds, {"train_class": [1.0]}])
    assert 'xlink:href="data:image/png;base64,' in many
    assert lines(many, 0.4) == lines(many, 1.8) == []
    # Words stay words.
    assert names(many) == ["train class"]


def test_a_long_leave_one_subject_out_training_stays_below_300_kilobytes():
    rng = np.random.default_rng(0)
    folds = [{name: list(rng.random(500)) for name in ("train_class", "train_domain", "train_loss")} for _ in range(68)]
    assert len(curves_svg(folds)) < 300_000
