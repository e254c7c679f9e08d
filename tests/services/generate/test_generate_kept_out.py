from hypothesis import given
from hypothesis import strategies as st

from services.generate.kept_out import KeptOut
from streams.parts import SourceRange, covered
from streams.samples import UNPLANNED

ranges = st.builds(
    lambda source, partition, start, length, before: SourceRange(
        source=source, partition=partition, from_offset=start, to_offset=start + length, planned_before=before
    ),
    st.sampled_from("ab"),
    st.integers(-1, 1),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(-1, 5),
)
accepted_ones = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.integers(0, 60)), st.integers(-1, 5) | st.just(UNPLANNED)
)


@given(st.lists(ranges, max_size=6), accepted_ones)
def test_it_counts_what_the_mixer_does_not_draw_and_names_its_calls(
    held: list[SourceRange], accepted: dict[tuple[str, int, int], int]
) -> None:
    kept_out = KeptOut()
    for call, ((source, partition, offset), planned) in enumerate(sorted(accepted.items())):
        kept_out.add(source, partition, offset, planned, call)
    out = [call for call, (at, planned) in enumerate(sorted(accepted.items())) if covered(held, *at, planned)]
    assert sorted(kept_out.calls(held)) == out
