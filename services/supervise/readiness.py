"""Whether a recipe can run on this machine: the very code of start-up, so that `check` can't promise too much."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from services import meaning
from services.generate.prompts.templates import templates_of
from services.groups import MOST_SOURCES
from services.ingest import inputs
from services.ingest.split import CHECKS, ENOUGH, Shares, advice
from services.models.door import find
from services.models.endpoint import endpoint
from services.recipe import Recipe, Served, Verify
from services.steering import ENOUGH as ENOUGH_REFERENCE
from services.supervise import kafka
from services.supervise.session import Chosen
from services.verify import recognizers
from services.verify.checks import semantic
from services.verify.checks.local_judge import Suspicious
from services.verify.checks.presidio import Presidio
from services.verify.checks.semantic import Semantic, too_few
from services.verify.chosen import runs_programs
from services.verify.conformal import shortage
from services.verify.sandbox import ready
from services.verify.sandbox.plain import WARNING
from streams.errors import BallastError
from streams.jars import Progress
from streams.java import find_java
from streams.kafka import KafkaBroker
from streams.stats.sequential import CELL

_TIMEOUT = 5.0
KNOWN_AFTER = 4_000  # documents: as many as novelty remembers, and as many as a baseline has
WATCHED = MOST_SOURCES - 1  # beside what files bring


class Finding(NamedTuple):
    """One thing that was checked; `told` says what was found, or what is wrong and what to do."""

    name: str
    ok: bool
    told: str
    notes: tuple[str, ...] = ()  # what can run but may be better


def warnings(recipe: Recipe) -> Iterator[str]:
    """Yield what can run but is likely not meant: one sentence each."""
    families = {source.family for source in recipe.sources}
    cap = recipe.mix.max_family_share
    if not recipe.sources:
        yield "No sources: nothing is generated, so every batch is real; name models under `sources`"
    elif len(families) == 1:
        yield (
            f"All sources are of one family ({families.pop()}): models of one family echo each other, and "
            "max_family_share has no effect; add a source of another family"
        )
    elif cap * len(families) < 1:
        yield (
            f"mix.max_family_share {cap:g} of {len(families)} families covers only {cap * len(families):.0%} of the "
            f"synthetic part, so equal parts are taken; use {1 / len(families):.2f} or more"
        )
    if len(recipe.sources) > WATCHED:
        yield (
            f"The monitor watches the first {WATCHED} of the {len(recipe.sources)} sources one by one, and the others "
            f"only as a whole, without alarms: put those that you know least first"
        )
    yield from _slow_admission(recipe)
    yield from _other_length(recipe)
    sampled = recipe.monitor.embeddings * recipe.monitor.window // CELL
    if 0 < sampled < meaning.LEAST:
        yield (
            f"monitor.embeddings {recipe.monitor.embeddings} gives {sampled} sentence vectors a window, too few to "
            f"compare; {meaning.LEAST} are needed, so raise it or monitor.window"
        )
    if recipe.mix.max_synthetic_share * recipe.mix.batch < 1:
        yield (
            f"mix.max_synthetic_share {recipe.mix.max_synthetic_share:g} of a batch of {recipe.mix.batch} is less than "
            "one sample, so no batch gets a synthetic one; raise either"
        )


def _other_length(recipe: Recipe) -> Iterator[str]:
    """Warn where local models write documents of another length than the human ones, so that `length` flags them."""
    human, made = recipe.seeds.words, recipe.generate.max_tokens
    is_cut = recipe.task == "text" and recipe.seeds.reader in ("text", "package")
    if is_cut and made != human and any(source.is_local for source in recipe.sources):
        yield (
            f"Local models write {made} words a document and human documents have {human}, so the check consistency "
            f"flags nearly all of them; set generate.max_tokens to {human}"
        )


def _slow_admission(recipe: Recipe) -> Iterator[str]:
    """Warn where sources end before the monitor knows them."""
    known_after = max(KNOWN_AFTER, recipe.monitor.window)
    total = sum(source.weight for source in recipe.sources)
    parts = {source.name: recipe.generate.target * source.weight / total for source in recipe.sources if total > 0}
    if few := [name for name, documents in parts.items() if 0 < documents < known_after]:
        yield (
            f"The monitor knows a source after some {known_after:,} documents, and generate.target gives "
            f"{few[0]} about {parts[few[0]]:,.0f}; until a source is known, the share stays at mix.floor "
            f"({recipe.mix.floor:g}): raise the target, or set the share with `ballast policy set`"
        )


def findings(chosen: Chosen, progress: Progress | None = None) -> Iterator[Finding]:
    """Yield what start-up needs beyond the recipe, in order. Blocks; fetches the jars if they are missing."""
    yield _seeds(chosen.recipe)
    if runs_programs(chosen.recipe):
        yield _sandbox(chosen.recipe.verify.sandbox)
    if chosen.recipe.monitor.embeddings:
        yield _tried("embeddings", lambda: _sampled(chosen.recipe))
    if Semantic.name in chosen.recipe.verify.checks:
        yield _tried(Semantic.name, _compared)
    if Presidio.name in chosen.recipe.verify.checks:
        yield _tried(Presidio.name, lambda: _recognized(chosen.recipe.verify))
    if paid := [source for source in chosen.recipe.sources if not source.is_local]:
        yield from _served("source", paid, chosen)
        yield _tried("prompts", lambda: _asked(chosen.recipe))
    if judges := chosen.recipe.verify.judges:
        yield from _served("judge", judges, chosen)
    if (bootstrap := chosen.settings.kafka_bootstrap) is not None:
        yield _tried("kafka", lambda: _reached(bootstrap))
    else:
        java = _tried("java", lambda: str(find_java(chosen.settings.java_home)))
        yield java
        if java.ok:
            yield _tried("kafka", lambda: _embedded(chosen, progress))
    yield _tried("folder", lambda: _writable(chosen))


def _seeds(recipe: Recipe) -> Finding:
    count = 0

    def attempt() -> str:
        nonlocal count
        files = inputs.find(recipe)
        count = inputs.documents(files, ENOUGH + 1)
        most = f"more than {ENOUGH:,}" if count > ENOUGH else f"{count:,}"
        return f"{most} documents in {len(files):,} files of {recipe.seeds.path}"

    found = _tried("seeds", attempt)
    told = advice(count, Shares(recipe.split.reference, recipe.split.holdout))
    return found._replace(notes=(*([told] if told else []), *_fitted(recipe, count)))


def _fitted(recipe: Recipe, documents: int) -> Iterator[str]:
    """Yield what checks against human documents will lack with so many; of more than ENOUGH it is not known."""
    verify = recipe.verify
    fitted = [check for check in ("consistency", Suspicious.name, Semantic.name) if check in verify.checks]
    if not fitted or not 0 < documents <= ENOUGH:
        return
    reference = round(recipe.split.reference * documents)
    if reference < ENOUGH_REFERENCE:
        yield (
            f"With `{fitted[0]}` in verify.checks verify waits for a reference, and one of some {reference:,} "
            f"documents is not accepted by itself ({ENOUGH_REFERENCE} are): run `ballast reference accept`, or leave "
            f"`{fitted[0]}` out"
        )
    checks = round(CHECKS * reference)
    if "consistency" in fitted and (lack := shortage(checks, verify.false_flag)) is not None:
        yield lack
    if Semantic.name in fitted and (lack := too_few(checks, verify.semantic_false_flag)) is not None:
        yield lack


def _tried(name: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, attempt())
    except BallastError as error:
        return Finding(name, False, str(error))
    except OSError as error:
        return Finding(name, False, f"{error.filename} cannot be used ({error.strerror}); make it writable")


def _reached(bootstrap: str) -> str:
    return f"{len(KafkaBroker(bootstrap, _TIMEOUT).partitions())} topics at {bootstrap}"


def _embedded(chosen: Chosen, progress: Progress | None) -> str:
    kafka.embedded(chosen.settings, chosen.folder, progress)
    return f"embedded; its jars lie in {chosen.settings.cache / 'jars'}"


def _sandbox(kind: ready.Kind) -> Finding:
    def attempt() -> str:
        ready.tried(kind)
        return f"{kind} runs programs"

    return _tried("sandbox", attempt)._replace(notes=(WARNING,) if kind == "process" else ())


def _served(role: str, models: Sequence[Served], chosen: Chosen) -> list[Finding]:
    """Ask for all models at once whether they are there, which costs nothing."""
    with ThreadPoolExecutor(len(models)) as threads:
        return list(threads.map(lambda model: _found(role, model, chosen), models))


def _found(role: str, model: Served, chosen: Chosen) -> Finding:
    notes: list[str] = []
    if model.prices is None:
        notes.append(
            f"The price of {model.name} is unknown: `ballast cost` can't tell dollars, and a budget of dollars can't "
            "hold"
        )

    def attempt() -> str:
        found = find(endpoint(model, chosen.settings.key))
        notes.extend([found.note] if found.note else [])
        return found.told

    return _tried(f"{role} {model.name}", attempt)._replace(notes=tuple(notes))


def _asked(recipe: Recipe) -> str:
    templates_of(recipe)
    return f"templates of task {recipe.task} from {recipe.generate.prompts or 'Ballast'}"


def _sampled(recipe: Recipe) -> str:
    meaning.check(recipe.monitor.embeddings)
    return f"{recipe.monitor.embeddings} of {CELL} documents get a vector of {meaning.MODEL}"


def _compared() -> str:
    semantic.require()
    return f"every text gets a vector of {meaning.MODEL}"


def _recognized(verify: Verify) -> str:
    recognizers.require(verify.presidio_model)
    return f"{len(recognizers.KINDS)} kinds of numbers are looked for, words in {verify.presidio_model or 'lower case'}"


def _writable(chosen: Chosen) -> str:
    chosen.folder.mkdir(parents=True, exist_ok=True)
    probe = chosen.folder / ".writable"
    probe.touch()
    probe.unlink()
    return str(chosen.folder)
