"""Pages as a person uses them: open an address, find a widget, read what is shown."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from workbench import api

ROOT = Path(__file__).parents[1]
HOME = "workspace"
PAGES = tuple(sorted(path.stem for path in (ROOT / "pages").glob("*.py")))
MODELS = tuple(entry.name for entry in api.list_models())


def visit(page=HOME, **address):
    """Open a page by its address; two underscores in a name stand for a dot."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, value in address.items():
        app.query_params[name.replace("__", ".")] = str(value)
    return _open(app, page)


def go(app, page):
    """Click a page in the menu, which leaves nothing of the address."""
    app.query_params.clear()
    return _open(app, page)


def _open(app, page):
    app.context["url"] = f"http://127.0.0.1:8501/{'' if page == HOME else page}"
    if page != HOME or app._registered_pages:  # before a first run the start page has no name
        app.switch_page(f"pages/{page}.py")
    return app.run()


def title(app):
    """Which page it is."""
    (found,) = app.title
    return found.value


def answers(app):
    """The sentences that answer the page's question."""
    bodies = [element.proto.body for element in app.get("html")]
    return [body for body in bodies if 'role="heading"' in body]


def shown(app):
    """All text that is read as Markdown."""
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.success, app.title)
    return "\n".join(element.value for kind in kinds for element in kind)


def has(app, kind, label):
    """Whether there is a widget of this kind and label."""
    return any(widget.label == label for widget in app.get(kind))


def widget(app, kind, label):
    """The only widget of this kind and label."""
    (found,) = (w for w in app.get(kind) if w.label == label)
    return found


def press(app, label):
    """Press the only button of this label."""
    return widget(app, "button", label).click().run()


def upload_model(app, files, *, name=""):
    """Bring the files of a model, by name, on the page for it."""
    app.file_uploader[0].set_value([(n, content, "") for n, content in files.items()]).run()
    if name:
        widget(app, "text_input", "Name").set_value(name).run()
    return press(app, "Check and keep it")


def address(app):
    """What the address holds; a value that the page has set is no list there."""
    return {k: v[0] if isinstance(v, list) else v for k, v in app.query_params.items()}


def no_fault(app):
    """Fail with what went wrong on a page."""
    assert not app.exception, [element.value for element in app.exception]
    assert not app.error, [element.value for element in app.error]
    return app
