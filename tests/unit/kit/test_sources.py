from weft.kit.sources import Sources


class Noting:
    def __init__(self) -> None:
        self.noted: list[str] = []

    def begin(self) -> None:
        self.noted.append("begin")

    def end(self) -> None:
        self.noted.append("end")


def test_a_source_lives_from_the_first_who_joins_to_the_last_who_leaves() -> None:
    sources, made = Sources(), list[Noting]()

    def make() -> Noting:
        made.append(Noting())
        return made[-1]

    with sources.joined("a", make) as first:
        with sources.joined("a", make) as second, sources.joined("b", make) as other:
            assert first is second is sources.find("a")
            assert other is not first
            assert len(sources) == 2
        assert (first.noted, other.noted) == (["begin"], ["begin", "end"])
    assert first.noted == ["begin", "end"]
    assert sources.find("a") is None
    with sources.joined("a", make) as again:
        assert again is not first
    assert len(made) == 3
    assert len(sources) == 0
