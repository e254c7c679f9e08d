"""policy: the largest synthetic share of a batch, set by a person or by the monitor."""

import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from services import pipeline, steering
from services.commands.output import JsonOption, PipelineOption, RecipeOption, note, print_json, say, table
from services.errors import InputError
from services.policy import Decision, allowed_share, decisions, has_expired
from services.report import figures as told
from services.supervise import session
from streams.events import MixPolicySet

policy = typer.Typer(help="Set and show the largest synthetic share of a batch.", no_args_is_help=True)
COLUMNS = ("version", "set at", "share", "until", "weights", "held", "by", "reason", "inputs")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@policy.command("set")
def set_(
    *,
    alpha: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share synthetic / all, 0 to 1: 0.3 is a ratio synthetic / real of 0.43."),
    ],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the policy.")],
    expires_in: Annotated[str | None, typer.Option(help="Time it is in force, as 60s, 15m, 8h or 2d.")] = None,
    pinned: Annotated[bool, typer.Option("--pinned", help="In force until the next policy.")] = False,
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Set the largest synthetic share; the recipe's own cap holds as well.

    When it expires and none follows, batches are made of real samples only.
    """
    if (expires_in is None) != pinned:
        raise InputError("Say how long the policy is in force: give either --expires-in or --pinned")
    now = pipeline.now()
    expires_at = None if expires_in is None else now + 1000 * _seconds(expires_in)
    chosen = session.choose(name, recipe)
    with session.opened(chosen, note) as opened:
        pipeline.prepare(opened.broker, opened.pipeline)
        made = steering.set_share(
            opened.broker, opened.codec, opened.pipeline, alpha=alpha, expires_at=expires_at, reason=reason, now=now
        )
    say(f"Policy {made.version}: {_told(made, chosen.recipe.mix.max_synthetic_share, now)}")


@policy.command()
def release(
    source: Annotated[str, typer.Argument(help="Its name in the recipe.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the policy.")],
    name: PipelineOption = None,
    recipe: RecipeOption = None,
) -> None:
    """Take back a source that the monitor has put out, with the samples that are held of it."""
    chosen = session.choose(name, recipe)
    with session.opened(chosen, note) as opened:
        made = steering.release_source(
            opened.broker, opened.codec, opened.pipeline, source=source, reason=reason, now=pipeline.now()
        )
    say(f"Policy {made.version}: source {source} is back, and what was held of it may be drawn")


@policy.command()
def show(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """Show the policy in force and the share it leads to."""
    chosen = session.choose(name, recipe)
    found, now = _history(chosen), pipeline.now()
    last = found[-1] if found else None
    in_force = last if last is not None and not has_expired(last, now) else None
    cap = chosen.recipe.mix.max_synthetic_share
    if json:
        share = allowed_share(cap, in_force)
        print_json({"policy": last and asdict(last), "in_force": in_force is not None, "allowed_share": share})
    elif last is None:
        say("There is no policy, so batches are made of real samples only; set one with `ballast policy set`")
    else:
        say(f"Policy {last.version} by {last.set_by}: {_told(last, cap, now)}; reason: {last.reason}")


@policy.command()
def history(name: PipelineOption = None, recipe: RecipeOption = None, json: JsonOption = False) -> None:
    """List every decision, the oldest first; policies that only renew one are one row with it.

    With --json every policy stands alone.
    """
    found = _history(session.choose(name, recipe))
    if json:
        print_json([asdict(each) for each in found])
        return
    table("", COLUMNS, [row(each) for each in decisions(found)])


def row(decision: Decision) -> tuple[object, ...]:
    """Return a decision as a row of COLUMNS."""
    made = decision.made
    return (
        told.versions(decision),
        _time(made.occurred_at),
        made.alpha,
        _until(decision.renewed),
        told.named(made.weights),
        told.held(made.held),
        made.set_by,
        made.reason,
        told.named(made.inputs),
    )


def _history(chosen: session.Chosen) -> list[MixPolicySet]:
    with session.opened(chosen, note) as opened:
        return steering.history(opened.broker, opened.codec, opened.pipeline)


def _told(made: MixPolicySet, cap: float, now: int) -> str:
    if has_expired(made, now):
        return f"expired at {_until(made)}, so batches are made of real samples only"
    share = allowed_share(cap, made)
    ratio = f"ratio {share / (1 - share):.2f}" if share < 1 else "no real samples"
    least = f"; the recipe's cap of {cap:g} is lower than {made.alpha:g}" if cap < made.alpha else ""
    return f"share at most {share:g} ({ratio}), until {_until(made)}{least}"


def _until(made: MixPolicySet) -> str:
    return "the next one" if made.expires_at is None else _time(made.expires_at)


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if found is None or found[1] == "0":
        raise InputError(f"--expires-in {text} is no time; write it as 60s, 15m, 8h or 2d")
    return int(found[1]) * _UNITS[found[2]]
