"""A user's JSON Schema, compiled once, to find the fault of a text that should be JSON of that schema."""

import json
from typing import Any, NoReturn

from jsonschema import validators
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from referencing.jsonschema import EMPTY_REGISTRY

from services.faults.fault import Fault
from services.recipe import RecipeError
from services.verify.checks.format import ReadJson

_LONGEST = 200


def compiled(schema: dict[str, Any]) -> ReadJson:
    """Return the function from a text to its fault; raises RecipeError for what is no schema."""
    cls = validators.validator_for(schema, default=validators.Draft202012Validator)
    try:
        cls.check_schema(schema)
    except SchemaError as error:
        raise RecipeError(
            f"`verify.json_schema` is no JSON Schema ({error.message[:_LONGEST]} at {error.json_path}); mend it there"
        ) from error
    if foreign := _foreign(schema):
        raise RecipeError(f"`verify.json_schema` refers to {foreign}; copy it into `$defs` and refer to it with #")
    validator: Validator = cls(schema, registry=EMPTY_REGISTRY)
    return lambda text: _fault(validator, text)


def _fault(validator: Validator, text: str) -> Fault | None:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return Fault({"json": str(error)[:_LONGEST]}, "The last turn is no JSON.")
    broken = next(iter(validator.iter_errors(value)), None)
    if broken is None:
        return None
    evidence = {"place": broken.json_path[:_LONGEST], "json": broken.message[:_LONGEST]}
    return Fault(evidence, f"The last turn's JSON breaks its schema at {evidence['place']}.")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _foreign(part: Any) -> str | None:
    """Return the first reference that leads out of the schema: nothing is fetched while samples are judged."""
    if isinstance(part, dict):
        refs = [part[key] for key in ("$ref", "$dynamicRef") if isinstance(part.get(key), str)]
        found = next((ref for ref in refs if not ref.startswith("#")), None)
        return found or next((ref for value in part.values() if (ref := _foreign(value))), None)
    if isinstance(part, list):
        return next((ref for value in part if (ref := _foreign(value))), None)
    return None
