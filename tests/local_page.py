"""The page about local models, visited and read."""

from functools import partial

from tests.visits import answers, shown, visit
from workbench import api

PAGE = "local_models"
look = partial(visit, PAGE)
hood = partial(visit, PAGE, part="neighbourhood")


def rows_of(name):
    """Test rows of the table that a bundled model was trained on."""
    return api.load_table(api.load_model(name).card.training_table, split="test")


def control(app, label):
    """The one group of buttons of this label."""
    (found,) = (group for group in app.button_group if group.label == label)
    return found


def heading(app):
    """The one answer of the page."""
    (body,) = answers(app)
    return body


def plain_text(app):
    """All that is read, without what escapes Markdown."""
    return shown(app).replace("\\", "")


def fitted(name, rows, scale, **params):
    """What the engine says; scales on the page have three digits."""
    return api.local_functions(name, rows, device="cpu", scale=scale, **params)
