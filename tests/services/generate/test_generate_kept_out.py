from hypothesis import given
from hypothesis import strategies as st

from services.generate.kept_out import KeptOut
from streams.parts import SourceRange, covered

ranges = st.builds(
    lambda source, partition, start, length: SourceRange(
        source=source, partition=partition, from_offset=start, to_offset=start + length
    ),
    st.sampled_from("ab"),
    st.integers(-1, 1),
    st.integers(0, 40),
    st.integers(0, 40),
)


@given(st.lists(ranges, max_size=6), st.sets(st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.integers(0, 60))))
def test_it_counts_what_the_mixer_does_not_draw(held: list[SourceRange], accepted: set[tuple[str, int, int]]) -> None:
    kept_out = KeptOut()
    for source, partition, offset in sorted(accepted):
        kept_out.add(source, partition, offset, None)
    assert kept_out.count(held) == sum(covered(tuple(held), *each) for each in accepted)
