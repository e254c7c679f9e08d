"""What a command works on: the pipeline that was meant, its recipe, and a broker for as long as the command runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from services import pipeline, recipe, settings
from services.errors import InputError
from services.recipe import Recipe
from services.settings import Settings
from services.supervise import kafka, running
from streams import topics
from streams.codec import Codec
from streams.kafka import KafkaBroker

_PACKAGE = "package:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A pipeline with its recipe and its state folder."""

    recipe: Recipe
    settings: Settings
    folder: Path

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.recipe.pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A chosen pipeline with its broker; `bootstrap` is the broker's address."""

    chosen: Chosen
    bootstrap: str
    broker: KafkaBroker
    codec: Codec

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.chosen.name


def choose(name: str | None, path: Path | None) -> Chosen:
    """Return the pipeline of a recipe, of a name, or the only one there is; raises InputError."""
    where = settings.read()
    if path is not None:
        plan = load(path)
        if name not in (None, plan.pipeline):
            raise InputError(
                f"The recipe {path} is of pipeline {plan.pipeline}, not {name}; give one of the two options"
            )
    else:
        plan = recipe.load(where.folder(name or _only(where.home)) / running.RECIPE)
    return Chosen(recipe=plan, settings=where, folder=where.folder(plan.pipeline))


def load(path: Path) -> Recipe:
    """Read a recipe of the user's; a relative path in it starts at the recipe's folder."""
    plan = recipe.load(path)
    folder = path.absolute().parent
    if not plan.seeds.path.startswith(_PACKAGE):
        absolute = str((folder / Path(plan.seeds.path).expanduser()).resolve())
        plan = plan.model_copy(update={"seeds": plan.seeds.model_copy(update={"path": absolute})})
    if plan.generate.prompts is not None:
        prompts = (folder / plan.generate.prompts.expanduser()).resolve()
        plan = plan.model_copy(update={"generate": plan.generate.model_copy(update={"prompts": prompts})})
    if plan.review.guidelines is not None:
        found = (folder / plan.review.guidelines.expanduser()).resolve()
        plan = plan.model_copy(update={"review": plan.review.model_copy(update={"guidelines": found})})
    return plan


def keep(chosen: Chosen) -> None:
    """Write the recipe into the state folder, so that other commands need no path."""
    chosen.folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(
        chosen.recipe.model_dump(mode="json", exclude_unset=True), sort_keys=False, allow_unicode=True
    )
    (chosen.folder / running.RECIPE).write_text(text, encoding="utf-8")


@contextmanager
def opened(chosen: Chosen, note: Callable[[str], None] = lambda _: None) -> Iterator[Session]:
    """Yield a session with the topics there; starts an embedded broker for its duration where none runs.

    The first command on a pipeline leaves the recipe in its folder.
    """
    if not (chosen.folder / running.RECIPE).exists():
        keep(chosen)
    with _bootstrap(chosen, note) as bootstrap:
        broker = KafkaBroker(bootstrap)
        topics.ensure(broker, chosen.name)
        yield Session(chosen=chosen, bootstrap=bootstrap, broker=broker, codec=pipeline.codec(broker, chosen.name))


@contextmanager
def _bootstrap(chosen: Chosen, note: Callable[[str], None]) -> Iterator[str]:
    if (given := chosen.settings.kafka_bootstrap) is not None:
        yield given
    elif (there := running.alive(chosen.folder)) is not None and there.bootstrap:
        yield there.bootstrap
    else:
        note("No broker runs for this pipeline; starting one for this command")
        with running.held(chosen.folder), kafka.embedded(chosen.settings, chosen.folder) as broker:
            yield broker.start()


def _only(home: Path) -> str:
    found = sorted(path.parent.name for path in home.glob(f"*/{running.RECIPE}"))
    if not found:
        raise InputError(f"No pipeline is known in {home}; start one with `ballast up RECIPE`, or give --recipe")
    if len(found) > 1:
        raise InputError(f"There are several pipelines: {', '.join(found)}; choose one with --pipeline")
    return found[0]
