from microexpr.core.progress import progress, visible_progress


def test_bars_are_silent_unless_made_visible(capsys):
    with progress("folds", 2) as advance:
        advance("loss 1.0")
        advance()
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_bars_stand_on_standard_error_and_say_what_they_are_told(capsys):
    with visible_progress(), progress("folds", 2) as advance:
        advance()
        advance("train_class 0.250")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "folds train_class 0.250" in captured.err
    assert "2/2" in captured.err


def test_a_bar_inside_anothers_work_shares_its_display_and_leaves_it(capsys):
    with visible_progress(), progress("folds", 2) as outer:
        for fold in range(2):
            with progress(f"epochs of {fold}", 3) as inner:
                for epoch in range(3):
                    inner(f"loss {epoch}")
            outer()
    last = capsys.readouterr().err
    # What stays on the screen is the outer bar alone.
    assert "2/2" in last
    assert "epochs of" not in last.splitlines()[-1]


def test_an_inner_bar_goes_when_its_work_fails(capsys):
    with visible_progress(), progress("folds", 1) as outer:
        try:
            with progress("epochs", 3):
                raise RuntimeError
        except RuntimeError:
            outer()
    assert "epochs" not in capsys.readouterr().err.splitlines()[-1]
