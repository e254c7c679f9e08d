"""The sources that a recipe names, connected to their models."""

from services.generate.local import LocalProvider
from services.generate.trained import generations
from services.models.door import connect
from services.models.endpoint import endpoint
from services.models.provider import Provider
from services.recipe import Source
from services.stage import Context


def connected(context: Context) -> dict[str, Provider]:
    """Return the model of each source, by the source's name; raises InputError for one without a key.

    Blocks where the generation of a model has to be read.
    """
    known = generations(context.recipe, context.broker, context.codec)

    def provider(source: Source) -> Provider:
        if source.is_local:
            return LocalProvider(source)
        return connect(endpoint(source, context.keys), context.metrics, known[source.name])

    return {source.name: provider(source) for source in context.recipe.sources}
