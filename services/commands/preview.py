"""preview: the first prompts of a recipe as they would be sent, what the models answer, and what it would cost."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.text import Text

from services.commands.output import JsonOption, console, note, print_json, say
from services.ingest.inputs import find
from services.preview.models import connected
from services.preview.pool import seeds
from services.preview.trial import Tried, calls, tried
from services.supervise import session


def preview(
    path: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe's YAML file.")],
    count: Annotated[int, typer.Option("-n", min=1, max=100, help="How many calls.")] = 5,
    first: Annotated[int, typer.Option("--from", min=0, help="First call of the plan: later ones rephrase.")] = 0,
    answers: Annotated[bool, typer.Option(help="Ask the models, which may cost money.")] = True,
    json: JsonOption = False,
) -> None:
    """Show prompts as they would be sent, and what the models answer.

    No topic is touched and no broker started: the seeds come from the recipe's files, so a call may start from another
    one than it will in the pipeline.
    """
    chosen = session.choose(None, path)
    recipe = chosen.recipe
    note(f"Reading {recipe.seeds.path}")
    pool = seeds(recipe, find(recipe))
    providers = connected(recipe, chosen.settings.key)
    shown = []
    for call in calls(recipe, pool, providers, range(first, first + count)):
        note(f"Asking {call.source.name}")
        one = tried(recipe, call, providers[call.source.name]) if answers else Tried(call)
        shown.append(one)
        if not json:
            _show(one, answers=answers)
    if json:
        print_json([_plain(one) for one in shown])
    else:
        say(_costs(shown, recipe.generate.target, recipe.generate.over_generate))


def _show(one: Tried, *, answers: bool) -> None:
    call, request = one.call, one.call.request
    told = [call.source.name, call.model.model_id, call.strategy.replace("_", " ")]
    told += [f"temperature {request.temperature:g}"] if request.temperature is not None else []
    _line(f"call {request.call_index}: {', '.join(told)}", "bold")
    if call.persona:
        _line(call.persona.replace(",", ", "), "dim")
    for turn in request.prompt:
        _part(turn.role, turn.text)
    if one.sample is not None:
        _line("sample", "bold green")
        fields = {"label": one.sample.label, "answer": one.sample.answer, "tests": one.sample.tests}
        for turn in one.sample.turns:
            _part(turn.role, turn.text)
        for name, text in fields.items():
            if text is not None:
                _part(name, text)
    if answers and one.why:
        _line(one.why, "red")
    say("")


def _part(name: str, text: str) -> None:
    _line(name, "cyan")
    console().print(Padding(Text(text), (0, 0, 0, 2), expand=False))


def _line(text: str, style: str) -> None:
    console().print(Text(text, style=style))


def _costs(shown: list[Tried], target: int, over_generate: float) -> str:
    known = [most for one in shown if (most := one.call.worst.dollars) is not None]
    paid = sum(one.cost or 0 for one in shown)
    if len(known) < len(shown):
        return "What it costs is unknown: name the `price` of each source, in dollars per million tokens in and out"
    mean = sum(known) / len(known)
    return (
        f"These calls cost ${paid:.4f}. A call costs ${mean:.5f} at most, so {target:,} accepted samples "
        f"${mean * target:,.2f} if every candidate is accepted, ${mean * target * over_generate:,.2f} at most"
    )


def _plain(one: Tried) -> dict[str, Any]:
    call, request = one.call, one.call.request
    sample = one.sample
    return {
        "call": request.call_index,
        "source": call.source.name,
        "model": call.model.model_id,
        "strategy": call.strategy,
        "persona": call.persona,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "schema": request.schema,
        "seed_id": call.seed.sample_id,
        "prompt": [{"role": turn.role, "text": turn.text} for turn in request.prompt],
        "sample": sample
        and {
            "turns": [{"role": turn.role, "text": turn.text} for turn in sample.turns],
            "label": sample.label,
            "answer": sample.answer,
            "tests": sample.tests,
        },
        "why": one.why,
        "worst_cost": call.worst.dollars,
        "cost": one.cost,
    }
