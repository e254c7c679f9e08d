"""The judges that a recipe names, connected to their models."""

from collections.abc import Mapping

from services.models.door import connect
from services.models.endpoint import address, endpoint
from services.models.patience import Patience
from services.models.provider import Provider
from services.models.purse import Purse
from services.stage import Context
from services.verify.checks.judge import Judge
from services.verify.judge_calls import JudgeCalls
from services.verify.known import Known


def connected(context: Context) -> dict[str, Provider]:
    """Return the model of each judge, by the judge's name; raises InputError for one without a key."""
    judges = context.recipe.verify.judges
    return {each.name: connect(endpoint(each, context.keys), context.metrics) for each in judges}


def judge(context: Context, known: Known, judges: Mapping[str, Provider]) -> Judge | None:
    """Return the check that asks the judges, None if the recipe has none; who has a fate is asked about no more."""
    recipe = context.recipe.verify
    if not recipe.judges:
        return None
    calls = JudgeCalls(
        broker=context.broker,
        codec=context.codec,
        pipeline=context.pipeline,
        slot=context.slot,
        judges=judges,
        patience={each.name: Patience(f"{each.name} at {address(each)}", each.seconds) for each in recipe.judges},
        purse=Purse(recipe.budget, context.slot, recipe.slots),
        fates=known.fates,
        now=context.now,
        metrics=context.metrics,
    )
    return Judge(recipe.judges, recipe.votes, lambda: known.calibration.floors.floor(recipe.judge_floor), calls)
