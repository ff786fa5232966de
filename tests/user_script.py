"""A script as a user types it: mypy checks its types with the package, a test runs it."""

import pandas as pd
import plotly.graph_objects as go
import torch
from torch import Tensor

import workbench as wb
from workbench import interop

model: wb.Model = wb.load_model("wine-mlp")
rows: wb.Table = wb.load_table("wine", rows="0:3")
found: wb.Attribution = wb.explain(model, rows, method="kernel", budget=512)
frame: pd.DataFrame = found.importance()
figure: go.Figure = wb.plot(found, "beeswarm", output="cultivar 1")
said: str = wb.answer(found)
taken: wb.Attribution = wb.import_attribution(found.to_shap(), model, rows, made_by="shap")
beside: wb.Measures = wb.measures(
    model, rows, given=taken, perturbations=64, repeats=10, copies=0, networks=0
)
pairs: wb.Interactions = wb.interactions(model, rows, rows)
interop.to_shapiq(pairs, 0, "cultivar 1")
values: Tensor | tuple[Tensor, Tensor] = wb.attribute(
    model, torch.zeros(2, 13), 0.0, target=1, method="KernelShap"
)
