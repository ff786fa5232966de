"""Analyses of the wine model for tests: small, and run in well under a second."""

from workbench.analysis import Analysis

SHAP = {
    "id": "shap", "method": "shapley.kernel", "model": "wine-mlp@1", "table": "wine",
    "split": "test", "rows": "0:2", "background": 10, "params": {"budget": 64},
}  # fmt: skip
RIGHT = {
    "id": "right", "method": "performance.evaluate", "model": "wine-mlp@1", "table": "wine",
    "split": "test",
}  # fmt: skip


def analysis(*steps, **fields):
    """An analysis of these steps, of one that explains two rows where none are given."""
    return Analysis(steps=list(steps) or [SHAP], **fields)
