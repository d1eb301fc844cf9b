"""Inputs, seed, recipe or version changed between two runs into one folder: refused, with the difference."""

import pytest
from slow_maker import SlowMaker
from world import create_photos, folders, photo, tree, without_processes

from mdeas.create.factory import plan
from mdeas.create.factory.build import build
from mdeas.create.factory.options import BuildOptions
from mdeas.errors import InputError
from mdeas.images.codec import write_jpeg


def photos(out, root, *words, **changes):
    return create_photos(out, root / "bg", root / "fg", *words, **changes)


def other_photo(root, _):
    write_jpeg(root / "bg" / "good0.jpg", photo(77), force=True)


def one_more(root, _):
    write_jpeg(root / "bg" / "more.jpg", photo(78))


def one_less(root, _):
    (root / "fg" / "good1.png").unlink()


def renamed(root, _):
    (root / "bg" / "good0.jpg").rename(root / "bg" / "other.jpg")


def other_version(root, monkeypatch):
    monkeypatch.setattr(plan.importlib.metadata, "version", lambda name: "99")


def nothing(root, _):
    """No change but the words."""


CHANGES = {
    "another photo": (other_photo, (), "recipe.backgrounds.sha256 was"),
    "one photo more": (one_more, (), "recipe.backgrounds.num was 3, now 4"),
    "one cut-out less": (one_less, (), "recipe.foregrounds.num was 2, now 1"),
    "another name of a photo": (renamed, (), "name was 'good0.jpg', now 'other.jpg'"),
    "seed": (nothing, ("--seed", "5"), "seed was 0, now 5"),
    "recipe": (nothing, ("--set", "empty_share=0.5"), "recipe.empty_share was 0.05, now 0.5"),
    "version": (other_version, (), "versions.mdeas was"),
}


@pytest.mark.parametrize("finished", [True, False])
def test_changes_are_refused_with_the_difference(row, tmp_path, monkeypatch, capsys, finished):
    with row(f"changes between runs are refused, {'finished' if finished else 'interrupted'} set") as tally:
        for case, (change, words, difference) in CHANGES.items():
            with tally.case(case), monkeypatch.context() as patch:
                root = tmp_path / case
                folders(root)
                if finished:
                    assert photos(root / "out", root) == 0
                else:
                    interrupt(root, patch)
                before = tree(root / "out")
                change(root, patch)
                assert photos(root / "out", root, *words) == 2
                told = capsys.readouterr().err
                assert "error[E-CHANGED]" in told and difference in told, told
                assert tree(root / "out") == before
                assert photos(root / "out", root, *words, "--force") == 0


def interrupt(root, patch):
    with patch.context() as once:
        once.setattr("mdeas.create.factory.build.commit", lambda *_: (_ for _ in ()).throw(MemoryError))
        assert photos(root / "out", root) == 7


def test_what_was_left_out_is_made_when_it_may_not_be(tmp_path):
    """A run with skip_bad that was interrupted does not finish without it as if nothing was missing."""
    with without_processes():
        with pytest.raises(KeyboardInterrupt):
            build(Interrupted(bad=(2,)), BuildOptions(out=tmp_path, shard_rows=4, skip_bad=True))
        with pytest.raises(InputError, match="sample 2 cannot be made"):
            build(SlowMaker(bad=(2,)), BuildOptions(out=tmp_path, shard_rows=4))
        build(SlowMaker(bad=(2,)), BuildOptions(out=tmp_path, shard_rows=4, skip_bad=True))


class Interrupted(SlowMaker):
    def make(self, index):
        if index == 20:
            raise KeyboardInterrupt
        return super().make(index)
