"""The plan: which samples a shard holds, and how two plans differ."""

from slow_maker import SlowMaker

from mdeas.create.factory.plan import compare, shards_of


def test_shards_hold_one_split_each_in_order():
    shards = shards_of(SlowMaker(count=25), 10)
    assert [(s.name, len(s.indices)) for s in shards] == [
        ("train-00000.parquet", 10),
        ("train-00001.parquet", 10),
        ("train-00002.parquet", 3),
        ("test-00000.parquet", 2),
    ]
    assert list(shards[0].indices) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]


def test_compare_names_four_differences_and_counts_the_rest():
    before, now = {"a": [1, 2], "b": {"c": 1}}, {"a": [2, 3], "b": {"c": 2, "d": 3}, "e": 1}
    assert compare(before, now) == (
        "a.0 was 1, now 2; a.1 was 2, now 3; b.c was 1, now 2; b.d was None, now 3; 1 more"
    )
