"""The heart rate in a video, for the terminal."""

__all__ = ["print_pulse"]

from microexpr.pipelines.report.terminal import new_console, new_table, print_line
from microexpr.pipelines.report.words import count
from microexpr.video.pulse import Pulse

# Windows that a screen holds; all are in pulse.csv.
_ROWS = 20


def print_pulse(found: Pulse) -> None:
    """Print rate and quality, one row a window, and what a reader must know of them."""
    console = new_console()
    trust = "reliable" if found.reliable else "not reliable: fewer than half of the windows are"
    print_line(
        console,
        f"{found.rate:.1f} beats per minute, +- {found.variability:.1f} over the windows, quality "
        f"{found.quality:.2f} ({found.snr:.1f} dB): {trust}",
    )
    table = new_table("seconds", "beats per minute", "quality", "SNR, dB", "reliable")
    every = max(1, -(-len(found.windows) // _ROWS))
    for row in found.windows.iloc[::every].itertuples():
        span = f"{row.first / found.fps:.1f} to {(row.last + 1) / found.fps:.1f}"
        table.add_row(span, f"{row.rate:.1f}", f"{row.quality:.2f}", f"{row.snr:.1f}", "yes" if row.reliable else "no")
    console.print(table)
    if every > 1:
        print_line(console, f"one in {every} of {count(len(found.windows), 'window')}; all are in pulse.csv (--out)")
    for note in found.notes:
        print_line(console, f"note: {note}")
    print_line(console, "note: no medical device; compression takes the pulse out of a video first")
