"""Small models and tables as a person brings them."""

import io
import tempfile
import zipfile
from pathlib import Path

from tests.networks import tiny_model
from workbench.registry.store import publish
from workbench.workspace.store import Workspace

FILES = ("card.json", "model.safetensors", "card.sha256")


def bundle(table, *, seed=0, **card):
    """The files of an untrained model of a table; ``card`` changes what its card says."""
    model = tiny_model(table, seed=seed)
    fields = model.card.model_dump(by_alias=True, exclude={"version", "weights_sha256"}) | card
    with tempfile.TemporaryDirectory() as folder:
        version = publish(model.encoder, model.network, fields, Path(folder))
        return {name: (version / name).read_bytes() for name in FILES}


def zipped(files):
    """One archive of all files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()


def keep_table(person, table, name="rows"):
    """Put a table where an upload of it would be."""
    workspace = Workspace(person.key)
    content = table.to_frame().to_csv(index=False).encode()
    draft = workspace.receive(io.BytesIO(content), f"{name}.csv")
    return workspace.save_table(draft, table.schema, name=name)
