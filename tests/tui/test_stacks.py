"""What can be taken back: a change moves only when it is turned."""

from covermaker.tui.stacks import Stacks


def test_a_change_moves_when_it_is_turned_and_not_before():
    stacks = Stacks(str.upper, ["a"])
    stacks.did("b")
    assert (stacks.undo_words(), stacks.redo_words()) == ("B", "")
    stacks.turned("b", "not b")
    assert (stacks.undo_words(), stacks.redo_words()) == ("A", "NOT B")
    stacks.turned("not b", "b again", redo=True)
    assert (stacks.undos, stacks.redos) == (["a", "b again"], [])


def test_something_new_ends_what_could_be_done_again():
    stacks = Stacks(str, ["a"])
    stacks.turned("a", "a")
    stacks.did("b")
    assert (stacks.undos, stacks.redos) == (["b"], [])


def test_what_is_gone_is_dropped_and_what_never_was_there_does_no_harm():
    stacks = Stacks(str, ["a", "b"])
    stacks.drop("a")
    stacks.drop("c", redo=True)
    stacks.turned("other", "back")
    assert (stacks.undos, stacks.redos) == (["b"], ["back"])
    stacks.forget("back")
    assert stacks.redo_words() == ""
