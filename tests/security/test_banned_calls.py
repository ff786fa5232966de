"""No line of the program opens a pickle, evaluates text, or hands a text to a shell."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([
    *(ROOT / "workbench").rglob("*.py"),
    *(ROOT / "pages").glob("*.py"),
    ROOT / "app.py",
])
NAMES = {"eval", "exec", "compile", "__import__", "breakpoint"}
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal",
           "yaml", "jsonpickle", "diskcache", "skops", "mlflow"}  # fmt: skip
CALLS = {
    "torch.load", "torch.jit.load", "torch.export.load", "torch.hub.load", "torch.package",
    "pd.read_pickle", "pandas.read_pickle", "pd.eval", "pandas.eval", "np.load", "numpy.load",
    "np.loadtxt", "numpy.fromregex", "os.system", "os.popen", "subprocess.getoutput",
    "pd.read_hdf", "pa.deserialize", "pa.deserialize_pandas", "onnx.load", "onnx.hub.load",
    "zipfile.ZipFile.extractall", "shutil.unpack_archive", "tarfile.open", "tempfile.mktemp",
}  # fmt: skip


def faults(text):
    """Yield the imports and calls of a source that are banned."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names]
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            yield from (name for name in names if name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            yield from faults_of_call(node)


def faults_of_call(node):
    said = ast.unparse(node.func)
    settings = {k.arg: ast.unparse(k.value) for k in node.keywords}
    if said in NAMES or said.endswith((".extractall", ".extract")):
        yield said
    if said.partition(".")[0] in MODULES:
        yield said
    if said in CALLS and settings.get("weights_only") != "True":
        yield said
    for name, harmless in (("shell", "False"), ("allow_pickle", "False"), ("weights_only", "True")):
        if settings.get(name, harmless) != harmless:
            yield f"{said} with {name}={settings[name]}"


# An exception of pickle, whose calls do not pass; and YAML by a loader that knows text, numbers,
# lists and mappings alone: yaml.load and its kin do not pass.
HARMLESS = {
    ("pickle", "models.py"), ("yaml", "yaml_file.py"), ("yaml.dump", "yaml_file.py"),
    ("yaml.MarkedYAMLError", "yaml_file.py"),
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_runs_what_it_reads(path):
    found = list(faults(path.read_text(encoding="utf-8")))
    assert [f for f in found if (f, path.name) not in HARMLESS] == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from joblib import load", "eval(x)", "torch.load(x)",
        "torch.load(x, weights_only=False)", "np.load(x, allow_pickle=True)", "exec('1')",
        "subprocess.run('ls', shell=True)", "yaml.load(x)\nimport yaml", "archive.extractall('x')",
        "torch.load(x, weights_only=flag)",
    ],
)  # fmt: skip
def test_the_search_finds_them(text):
    assert list(faults(text))
    assert not list(faults("torch.load(x, weights_only=True)"))


def test_the_server_keeps_its_guards():
    """What Streamlit protects by itself is not switched off, and nothing is served as a file."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    server = config["server"]
    assert server["address"] == "127.0.0.1"
    for guard in ("enableCORS", "enableXsrfProtection"):
        assert server.get(guard, True) is True
    for door in ("enableStaticServing", "enableAgentApi"):
        assert server.get(door, False) is False
    assert server.get("corsAllowedOrigins", []) == []
    assert config["client"]["showErrorDetails"] == "none"
    assert config["client"]["toolbarMode"] == "viewer"
    assert config["browser"]["gatherUsageStats"] is False
    assert not (ROOT / "static").exists()


def test_the_defaults_of_streamlit_are_those_that_are_relied_on():
    from streamlit import config

    options = config.get_config_options()
    wanted = {
        "server.enableCORS": True, "server.enableXsrfProtection": True,
        "server.enableStaticServing": False, "server.corsAllowedOrigins": [],
    }  # fmt: skip
    assert {name: options[name].default_val for name in wanted} == wanted
