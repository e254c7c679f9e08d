import doctest
import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from stats_laws import LAWS, Case

from streams.errors import DecodeError
from streams.stats import statistic
from streams.stats.statistic import pack, unpack

MODULES = [
    import_module(f"streams.stats.{path.stem}")
    for path in sorted(Path(statistic.__file__).parent.glob("*.py"))
    if path.stem not in ("__init__", "statistic")
]
CASES: list[Case] = [
    case for path in sorted(Path(__file__).parent.glob("stats_case_*.py")) for case in import_module(path.stem).CASES
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_law(case: Case, law: Callable[[Case, np.random.Generator], None]) -> None:
    if case.ordered and law.__name__ in ("merging_parts_is_one_pass", "order_does_not_matter"):
        assert "order" in str(type(case.make()).__doc__), "an ordered statistic says so"
        return
    if law.__name__ == "an_empty_one_changes_nothing" and not hasattr(case.make(), "merge"):
        assert "can't be merged" in str(type(case.make()).__doc__), "one that can't be merged says so"
        return
    law(case, np.random.default_rng(7))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_statistic_has_a_case_a_running_example_and_its_source(module: object) -> None:
    cases = {type(case.make()) for case in CASES}
    name = getattr(module, "__name__", "")
    for found in vars(module).values():
        if inspect.isclass(found) and found.__module__ == name and not found.__name__.startswith("_"):
            assert ">>>" in str(found.__doc__) or not hasattr(found, "get"), f"{found.__name__} has no example"
            assert found in cases or not hasattr(found, "merge"), f"{found.__name__} is held to no law"
    tried = doctest.testmod(module, raise_on_error=True)  # type: ignore[arg-type]
    assert tried.attempted > 0


def test_packed_bytes_are_the_state_and_equal_for_equal_states() -> None:
    state = {"b": np.arange(6, dtype=np.int32).reshape(2, 3), "a": np.array(0.5), "none": np.empty((0, 4))}
    again = unpack(pack(state))
    assert list(again) == ["a", "b", "none"]
    for key, array in state.items():
        assert (again[key].dtype, again[key].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(again[key], array)
    assert pack(again) == pack(dict(reversed(state.items())))


@pytest.mark.parametrize("data", [b"", b"no state", pack({"a": np.ones(3)})[:-3]])
def test_bytes_that_are_no_state_are_one_error(data: bytes) -> None:
    with pytest.raises(DecodeError, match=f"These {len(data)} bytes are no statistic's state"):
        unpack(data)
