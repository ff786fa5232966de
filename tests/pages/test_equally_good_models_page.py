"""The page about equally good models."""

from functools import partial

from tests.visits import no_fault, shown, visit

PAGE = "equally_good_models"
look = partial(visit, PAGE)


def test_x():
    app = look(model="german-mlp", rashomon__models=200, other="True")
    print(shown(app))
    no_fault(app)
