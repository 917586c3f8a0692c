"""Tiny synthetic clips in the layout of a data set, and ways to spoil its workbook."""

from functools import cache

from openpyxl import Workbook, load_workbook

from microexpr.core.clipset import ClipSet
from microexpr.core.sources import ArraySource
from microexpr.data.catalog import parse_spec
from microexpr.data.layouts import LAYOUTS, write_layout
from microexpr.data.synthetic import make_clips


@cache
def _rendered(layout, n_subjects, clips_per_subject):
    """Make the clips, in memory: rendering them takes longer than all else."""
    arguments = {**LAYOUTS[layout].clips, "size": (34, 32), "seed": 4, "color": False}
    arguments["margin"] = min(arguments.get("margin", 0), 3)
    arguments["duration"] = (0.03, 0.06) if arguments.get("fps", 200) > 100 else (0.1, 0.25)
    clips = make_clips(n_subjects, clips_per_subject, **arguments)
    return ClipSet(clips.table, [ArraySource(clip.frames()) for clip in clips.clips], classes=clips.classes)


def written(layout, folder, *, n_subjects=2, clips_per_subject=4, quirks=True):
    """Write the layout; return what a loader should find."""
    return write_layout(_rendered(layout, n_subjects, clips_per_subject), layout, folder, quirks=quirks)


def loaded(layout, folder, **options):
    """Read the layout with the loader that its record names."""
    from importlib import import_module

    dataset, arguments = parse_spec(f"{LAYOUTS[layout].loader}={folder}")
    module, _, function = dataset.loader.rpartition(".")
    return getattr(import_module(module), function)(**arguments, **options)


def table_of(folder):
    """Return the path of the one workbook."""
    [path] = folder.rglob("*.xlsx")
    return path


def cells_of(folder, sheet=0):
    """Return the rows of a sheet."""
    book = load_workbook(table_of(folder))
    rows = [[cell.value for cell in row] for row in book.worksheets[sheet].iter_rows()]
    book.close()
    return rows


def spoil(folder, change, sheet=0):
    """Apply `change` to the list of rows of a sheet and save the workbook."""
    path = table_of(folder)
    book = load_workbook(path)
    chosen = book.worksheets[sheet]
    rows = [[cell.value for cell in row] for row in chosen.iter_rows()]
    changed = change(rows) or rows
    fresh = Workbook()
    fresh.remove(fresh.active)
    for old in book.worksheets:
        target = fresh.create_sheet(old.title)
        for row in changed if old is chosen else old.iter_rows(values_only=True):
            target.append(list(row))
    book.close()
    fresh.save(path)
