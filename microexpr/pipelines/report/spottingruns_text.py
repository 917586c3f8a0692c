"""Comparisons of spotting methods, for the terminal."""

__all__ = ["print_spotting"]

from microexpr.core.errors import join_names
from microexpr.pipelines.report.terminal import new_console, new_table, print_line
from microexpr.pipelines.report.words import count, figure, interval
from microexpr.pipelines.spottingcomparison import SpottingComparison


def print_spotting(comparison: SpottingComparison) -> None:
    """Print one row a method, then what a reader must know of the figures."""
    console = new_console()
    title = f"{count(len(comparison.videos), 'video')}, {count(comparison.videos['subject'].nunique(), 'subject')}, "
    title += f"{count(len(comparison.true), 'true expression')}, loso, seed {comparison.seed}"
    if comparison.found:
        frame = comparison.table()
        table = new_table("method", "F1 [95% CI]", "precision", "recall", "hits/false/missed")
        # Apart, so that no figure is cut off where the window is narrow.
        by_kind = new_table("F1", "micro [95% CI]", "macro [95% CI]")
        for name, row in frame.iterrows():
            counts = "/".join(str(int(row[key])) for key in ("TP", "FP", "FN"))
            table.add_row(str(name), interval(row, "F1"), figure(row["precision"]), figure(row["recall"]), counts)
            by_kind.add_row(str(name), interval(row, "micro_F1"), interval(row, "macro_F1"))
        print_line(console, title)
        console.print(table)
        console.print(by_kind)
        if comparison.recognizer is not None:
            named = new_table(f"named by {comparison.recognizer}", "hits named", "UF1", "STRS [95% CI]")
            for name, row in frame.iterrows():
                named.add_row(str(name), str(int(row["n_recognized"])), figure(row["UF1"]), interval(row, "STRS"))
            console.print(named)
        alarms = comparison.alarms()
        if len(alarms):
            what = new_table("what happened at false positives", *map(str, alarms.columns))
            for name, row in alarms.iterrows():
                what.add_row(str(name), *map(str, row))
            console.print(what)
        for name in comparison.found:
            if note := comparison.scores(name)["note"]:
                print_line(console, f"note: {name}: {note}")
    if len(comparison.findings):
        listed = [f"{row.clip_id}: {row.finding}" for row in comparison.findings.itertuples()]
        print_line(console, f"{count(len(listed), 'finding')} in the data: {join_names(listed, 3)}")
    for name in comparison.failures:
        print_line(console, f"{name}: no score")
