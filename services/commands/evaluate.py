"""evaluate: whether what is mixed makes models worse on real text, by proxies or by what a trainer reports."""

from pathlib import Path
from typing import Annotated

import typer

from services import pipeline
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.errors import InputError
from services.evaluate.evaluator import Evaluator
from services.evaluate.history import History
from services.evaluate.reporting import Report, losses_of
from services.evaluate.reporting import report as written
from services.evaluate.result import Result, judged, plain
from services.supervise import session

COLLAPSED = 3
evaluate = typer.Typer(help="Score a proxy, or your own model, on sets that it never trained on.")
_RunOption = Annotated[
    str | None, typer.Option("--run", help="Name of the run; one that is known is shown again and not repeated.")
]


@evaluate.callback(invoke_without_command=True)
def proxy(
    ctx: typer.Context,
    run: _RunOption = None,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
    json: JsonOption = False,
) -> None:
    """Score a proxy, or your own model, on sets that it never trained on.

    Without a subcommand: trains the proxies on what was mixed since the last evaluation and scores them. Exit code 3
    if real text has become harder while synthetic text has not, 1 if all has, or if the holdout leaks into the mix.
    """
    if ctx.invoked_subcommand is not None:
        return
    chosen = session.choose(name, recipe)
    with session.opened(chosen, note) as opened:
        pipeline.prepare(opened.broker, opened.pipeline)
        note("Training and scoring the proxies")
        result = Evaluator(
            broker=opened.broker,
            codec=opened.codec,
            pipeline=opened.pipeline,
            most_shared=chosen.recipe.verify.contamination,
            now=pipeline.now(),
        ).run(run)
    _show([result], json=json)


@evaluate.command()
def report(
    *,
    run: Annotated[str, typer.Option("--run", help="Name of the fine-tuning run.")],
    cycle: Annotated[int, typer.Option(min=0, help="Fine-tuning cycle; the first is what later ones are held to.")],
    set_name: Annotated[str, typer.Option("--set", help="holdout, safety, synthetic, or another word.")],
    loss: Annotated[float | None, typer.Option(help="Mean loss, nats a token.")] = None,
    documents: Annotated[int, typer.Option(min=0, help="Documents scored, beside --loss.")] = 0,
    losses: Annotated[
        Path | None, typer.Option(help='JSON lines of {"sample_id", "loss"}: then differences are tested.')
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="Another score, as name=value; several may be given.")
    ] = None,
    trainer: Annotated[
        str, typer.Option(help="Name of the trainer; its cycles are compared with each other.")
    ] = "trainer",
    model: Annotated[str, typer.Option(help="The model's name.")] = "",
    trained_to_batch: Annotated[int | None, typer.Option(min=0, help="First batch that it has not seen.")] = None,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
    json: JsonOption = False,
) -> None:
    """Report how a model of your own scores on one set; reporting it twice changes nothing."""
    said = Report(
        run_id=run,
        cycle=cycle,
        set_name=set_name,
        trainer=trainer,
        model_id=model or run,
        loss=loss,
        documents=documents,
        losses=None if losses is None else losses_of(losses),
        metrics=dict(_metric(each) for each in metric or []),
        trained_to_batch=trained_to_batch,
    )
    with session.opened(session.choose(name, recipe), note) as opened:
        pipeline.prepare(opened.broker, opened.pipeline)
        result = written(opened.broker, opened.codec, opened.pipeline, said, pipeline.now())
    _show([result], json=json)


@evaluate.command()
def show(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """Show the last run of every proxy and trainer; trains nothing and writes nothing."""
    with session.opened(session.choose(name, recipe), note) as opened:
        history = History(opened.broker, opened.codec, opened.pipeline)
    found = [
        judged(history.events, list(history.runs(evaluator)[-1].values()), is_new=False)
        for evaluator in history.evaluators()
    ]
    if not found:
        raise InputError("Nothing is evaluated yet; run `ballast evaluate`, or report with `ballast evaluate report`")
    _show(found, json=json)


def _show(results: list[Result], *, json: bool) -> None:
    """Print the results and end with the code of the gravest."""
    if json:
        print_json([plain(result) for result in results])
    else:
        for result in results:
            _tell(result)
    if any(result.verdict == "collapse" for result in results):
        raise typer.Exit(COLLAPSED)
    if any(result.verdict == "regressed" or result.leaks for result in results):
        raise typer.Exit(1)


def _tell(result: Result) -> None:
    first = result.events[0]
    for evaluator, found in result.comparisons.items():
        rows = [
            (
                each.set_name,
                each.loss,
                f"{each.since_previous:+.3f}",
                f"{each.since_first:+.3f}",
                f"{each.interval.low:+.3f} to {each.interval.high:+.3f}" if each.interval else "-",
                f"{each.low:+.3f}",
                each.tolerance,
                each.is_worse,
                each.documents,
            )
            for each in found
        ]
        columns = ["set", "loss", "since last", "since first", "95 %", "surely", "allowed", "worse", "documents"]
        table(f"{evaluator}, cycle {first.cycle} (run {first.run_id})", columns, rows)
    if result.leaks:
        say(f"{result.leaks} samples of the mix share text with the holdout; what they share was not scored")
    say(f"Cycle {first.cycle}: {result.verdict}" + ("" if result.is_new else " (evaluated before)"))


def _metric(text: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        return key, float(value)
    except ValueError:
        raise InputError(f"--metric {text} is no name=value with a number") from None
