"""Eight published explainers against their forms as local function approximations.

``python -m benchmarks.recovery`` prints, for a linear and two non-linear bundled models, how far
each existing implementation (captum, shap, lime) is from the workbench's fit of the same method:
mean absolute difference as a share of the mean size, and cosine distance, over ten rows. Captum's
LIME and SmoothGrad and the package lime sample, and what they differ by is their own noise; the
workbench's standard error is printed beside it. Writes ``benchmarks/results/recovery.json``.
"""

import json
import platform
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import captum.attr
import numpy as np
import shap
import torch
from captum._utils.models.linear_model import SkLearnLinearRegression
from lime.lime_tabular import LimeTabularExplainer
from torch import Tensor

import workbench as wb
from workbench.core.faithfulness import EXPLANATIONS
from workbench.core.model import Model, Output
from workbench.core.results import Faithfulness
from workbench.core.table import Table

RESULTS = Path(__file__).parent / "results"
CASES: tuple[tuple[str, str, Output], ...] = (
    ("adult-linear", "adult", "score"),
    ("adult-mlp", "adult", "probability"),
    ("wine-mlp", "wine", "score"),
)
ROWS, SAMPLES = 10, 20_000


class Existing:
    """The published implementations, told what the workbench is told."""

    def __init__(
        self, model: Model, rows: Table, ours: Faithfulness, output: Output,
        samples: Mapping[str, int] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self.model, self.ours, self.output, self.samples = model, ours, output, samples
        self.which = ours.output_index(None)
        self.X = rows.X.double()
        self.ends = model.encode(self.X)
        self.start = model.encode(torch.from_numpy(ours.reference)[None])
        self.numbers = np.flatnonzero(ours.scales > 0)
        self.scales = torch.from_numpy(ours.scales)

    def forward(self, inputs: Tensor) -> Tensor:
        """Say what the chosen output is for encoded rows."""
        return self.model.outputs(self.model.network(inputs), self.output)[:, self.which]

    def by_feature(self, columns: Tensor) -> np.ndarray:
        """Add up the columns of each feature."""
        d = self.X.shape[1]
        groups = torch.nn.functional.one_hot(self.model.groups, d).to(columns)
        found: np.ndarray = (columns.detach() @ groups).double().numpy()
        return found

    def once(self, columns: Tensor) -> np.ndarray:
        """Take the value that all columns of a feature have."""
        counts = torch.bincount(self.model.groups, minlength=self.X.shape[1])
        return self.by_feature(columns) / counts.numpy()

    def moved(self, row: int) -> Callable[[Tensor], Tensor]:
        """Return the output of a row as a function of moves in standard deviations."""

        def answer(moves: Tensor) -> Tensor:
            X = self.X[row].repeat(len(moves), 1)
            X[:, self.numbers] = X[:, self.numbers] + moves * self.scales[self.numbers]
            return self.forward(self.model.encode(X))

        return answer

    def slopes(self, explain: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]) -> np.ndarray:
        """Explain no move at all, row by row."""
        found = np.full(self.X.shape, np.nan)
        here = torch.zeros(1, len(self.numbers), dtype=torch.float64)
        for row in range(len(self.X)):
            found[row, self.numbers] = explain(self.moved(row), here).detach().numpy()
        return found

    def lime(self) -> np.ndarray:
        """Run captum's LIME with the same kernel and no penalty."""

        def similarity(_: Tensor, __: Tensor, mask: Tensor, **___: object) -> float:
            return float(torch.exp(-(mask.numel() - mask.sum()) / self.ours.width**2))

        tool = captum.attr.Lime(self.forward, SkLearnLinearRegression(), similarity)
        parts = [
            tool.attribute(
                end[None], baselines=self.start, feature_mask=self.model.groups[None],
                n_samples=self.samples.get("lime", SAMPLES // 4), perturbations_per_eval=1024,
            )
            for end in self.ends
        ]  # fmt: skip
        return self.once(torch.cat(parts))

    def kernelshap(self) -> np.ndarray:
        """Run shap on raw rows against the reference row."""
        raw = torch.from_numpy(self.ours.reference)

        def answer(X: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                said: np.ndarray = self.forward(
                    self.model.encode(torch.from_numpy(X))
                ).double().numpy()  # fmt: skip
            return said

        tool = shap.KernelExplainer(answer, raw.numpy()[None])
        rows = self.X.numpy()
        most = self.samples.get("kernelshap", 2 ** min(rows.shape[1], 13))
        return np.array(tool.shap_values(rows, nsamples=most, l1_reg=0, silent=True))

    def occlusion(self) -> np.ndarray:
        """Run captum's ablation of one feature at a time."""
        tool = captum.attr.FeatureAblation(self.forward)
        return self.once(
            tool.attribute(self.ends, baselines=self.start, feature_mask=self.model.groups[None])
        )

    def integrated_gradients(self) -> np.ndarray:
        """Run captum on the encoded rows."""
        tool = captum.attr.IntegratedGradients(self.forward)
        steps = self.samples.get("integrated-gradients", 1000)
        return self.by_feature(tool.attribute(self.ends, baselines=self.start, n_steps=steps))

    def gradient_x_input(self) -> np.ndarray:
        """Run captum on the way from the reference."""
        tool = captum.attr.InputXGradient(lambda way: self.forward(self.start + way))
        return self.by_feature(tool.attribute(self.ends - self.start))

    def vanilla_gradients(self) -> np.ndarray:
        """Run captum's signed saliency at no move."""
        return self.slopes(lambda f, here: captum.attr.Saliency(f).attribute(here, abs=False))

    def smoothgrad(self) -> np.ndarray:
        """Run captum's noise tunnel with moves of the same size."""
        torch.manual_seed(0)
        return self.slopes(
            lambda f, here: captum.attr.NoiseTunnel(captum.attr.Saliency(f)).attribute(
                here, nt_samples=self.samples.get("smoothgrad", SAMPLES),
                nt_samples_batch_size=2000, stdevs=self.ours.scale, abs=False,
            )
        )  # fmt: skip

    def c_lime(self) -> np.ndarray:
        """Ask the package lime around the row, with moves of the same size and no kernel."""
        found = np.full(self.X.shape, np.nan)
        spread = self.ours.scale * np.eye(len(self.numbers))
        unit = np.random.default_rng(0).normal(size=(2000, len(self.numbers)))
        unit = (unit - unit.mean(0)) / unit.std(0) * np.diag(spread)
        for row in range(len(self.X)):
            tool = LimeTabularExplainer(
                unit, mode="regression", discretize_continuous=False, sample_around_instance=True,
                kernel_width=1e9, feature_selection="none", random_state=row,
            )  # fmt: skip
            f = self.moved(row)

            def answer(moves: np.ndarray, f: Callable[[Tensor], Tensor] = f) -> np.ndarray:
                with torch.no_grad():
                    said: np.ndarray = f(torch.from_numpy(moves)).double().numpy()
                return said

            local = tool.explain_instance(
                np.zeros(len(self.numbers)), answer,
                num_samples=self.samples.get("c-lime", SAMPLES), num_features=len(self.numbers),
            )  # fmt: skip
            for place, weight in local.local_exp[1]:
                found[row, self.numbers[place]] = weight / self.ours.scale
        return found


SOURCES: Mapping[str, str] = {
    "lime": "captum Lime", "kernelshap": "shap KernelExplainer",
    "occlusion": "captum FeatureAblation", "integrated-gradients": "captum IntegratedGradients",
    "gradient-x-input": "captum InputXGradient", "vanilla-gradients": "captum Saliency",
    "smoothgrad": "captum NoiseTunnel", "c-lime": "lime, around the row",
}  # fmt: skip


def distances(ours: np.ndarray, theirs: np.ndarray, errors: np.ndarray) -> dict[str, float]:
    """Compare two explanations of the same rows, and say what sampling explains of it."""
    known = np.isfinite(ours)
    a, b = np.where(known, ours, 0.0), np.where(known, theirs, 0.0)
    size = np.abs(b[known]).mean()
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return {
        "difference": float(np.abs(a - b)[known].mean() / size),
        "cosine": float(np.median(1 - (a * b).sum(1) / lengths)),
        "std_error": float(errors[known].mean() / size),
    }


def main() -> None:
    warnings.filterwarnings("ignore", message="Input Tensor .* did not already require gradients")
    found: dict[str, object] = {
        "machine": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "captum", "shap", "lime")},
        },
    }
    for name, table, output in CASES:
        model = wb.load_model(name).to(dtype=torch.float64)
        rows = wb.load_table(table)[:ROWS]
        ours = wb.faithfulness(model, rows, output=output, perturbations=2**14, device="cpu")
        existing = Existing(model, rows, ours, output)
        print(f"{name}, {output}: difference, cosine distance, our standard error")
        lines = {}
        for method, source in SOURCES.items():
            told = ours.contributions(method)
            theirs = getattr(existing, method.replace("-", "_"))()
            lines[method] = distances(told.values, theirs, told.std_errors)
            print(
                f"  {EXPLANATIONS[method]:22} {source:28} {lines[method]['difference']:8.2%} "
                f"{lines[method]['cosine']:9.1e} {lines[method]['std_error']:8.2%}"
            )
        found[f"{name}, {output}"] = lines
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "recovery.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
