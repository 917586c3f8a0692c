"""Commands on models: fitted on all subjects, asked about clips of strangers, described."""

__all__ = ["COMMANDS"]

from pathlib import Path
from typing import Annotated

import typer

from microexpr.cli._ending import fail, stoppable
from microexpr.cli._options import Auxiliary, Corrections, Data, FindApex, Incomplete, Jobs, Labels, Seed, Set
from microexpr.cli._searching import searched

_Model = Annotated[
    Path | None, typer.Option("--model", help="A file of `fit` or `pretrain`; by default the model that comes along.")
]


def fit(
    method: Annotated[str, typer.Argument(help="A method as `microexpr methods` lists it.")],
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="A file ending in .mxm.")],
    results: Annotated[
        Path, typer.Option("--results", help="Folder of results: folds that are there are not run again.")
    ] = Path("results"),
    measure: Annotated[
        bool, typer.Option("--measure/--no-measure", help="Leave one subject out first, for the model's card.")
    ] = True,
    labels: Labels = None,
    seed: Seed = 0,
    jobs: Jobs = 1,
    settings: Set = [],  # noqa: B006  (typer copies it)
    allow_incomplete: Incomplete = False,
    corrections: Corrections = None,
    find_apex: FindApex = None,
    auxiliary: Auxiliary = [],  # noqa: B006  (typer copies it)
) -> None:
    """Fit a method on all subjects and write the model, its leave-one-subject-out figures in its card."""
    with stoppable("the same command goes on from here"):
        from microexpr.core.progress import visible_progress
        from microexpr.data.catalog import load_data
        from microexpr.pipelines.modelfitting import fit_and_save
        from microexpr.pipelines.report.model_text import print_card
        from microexpr.pipelines.settings import parse_settings

        params = parse_settings(settings)
        clips = load_data(data, labels=labels, allow_incomplete=allow_incomplete, corrections=corrections)
        macro = load_data(auxiliary, labels=labels, allow_incomplete=allow_incomplete) if auxiliary else None
        with visible_progress():
            model = fit_and_save(
                method,
                searched(clips, find_apex, jobs),
                out,
                store=results if measure else None,
                measure=measure,
                seed=seed,
                params=params,
                auxiliary=macro,
                n_jobs=jobs,
                allow_incomplete=allow_incomplete,
            )
        print_card(model.card)
        typer.echo(out)


def predict(
    clips: Annotated[list[str], typer.Argument(help="Videos, folders of numbered images, or stored flow maps.")],
    model: _Model = None,
    out: Annotated[Path | None, typer.Option("--out", help="Also write the answers to this CSV file.")] = None,
    align: Annotated[
        str,
        typer.Option("--align", help="Bring faces to where the model knows them: auto, always, never."),
    ] = "auto",
    onset: Annotated[int | None, typer.Option("--onset", help="Frame from 0; the first one by default.")] = None,
    apex: Annotated[int | None, typer.Option("--apex", help="Frame from 0; searched for by default.")] = None,
    find_apex: Annotated[
        str, typer.Option("--find-apex", help="What the search goes by: strain, flow or lbp.")
    ] = "strain",
) -> None:
    """Name the expressions in clips of your own by a model."""
    with stoppable("nothing was written"):
        from microexpr.core.progress import visible_progress
        from microexpr.pipelines.predicting import predict_files, write_named
        from microexpr.pipelines.report.model_text import print_named
        from microexpr.pipelines.zeroshot import model_at

        loaded = model_at(model)
        with visible_progress():
            named = predict_files(loaded, clips, align=align, onset=onset, apex=apex, find_apex=find_apex)
        print_named(named, loaded)
        if out is not None:
            write_named(named, out)
            typer.echo(out)
        fail(named.failures)


def card(model: Annotated[Path, typer.Argument(help="A file that `microexpr fit` wrote.")]) -> None:
    """Show what a model was trained on, how well it does, and what it is not for."""
    from microexpr.pipelines.modelsaving import read_card
    from microexpr.pipelines.report.model_text import print_card

    print_card(read_card(model))


def pretrain(
    out: Annotated[Path, typer.Option("--out", help="A file ending in .safetensors.")],
    networks: Annotated[int, typer.Option("--networks", help="How many are averaged.")] = 5,
    steps: Annotated[int, typer.Option("--steps", help="Of each network, 256 maps a step.")] = 400,
    seed: Seed = 0,
) -> None:
    """Make the model that comes along anew, from synthetic motion alone; the defaults are its recipe."""
    with stoppable("the same command goes on with the next network"):
        from microexpr.core.progress import visible_progress
        from microexpr.pipelines.pretraining import pretrain as train

        with visible_progress():
            train(out, n_networks=networks, steps=steps, seed=seed)
        typer.echo(out)


COMMANDS = (fit, predict, card, pretrain)
