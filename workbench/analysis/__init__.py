"""Analysis files: read, run again, compared with an earlier run."""

from workbench.analysis.condition import Condition
from workbench.analysis.contents import Analysis, TableEntry, analysis_of
from workbench.analysis.numbers import numbers_digest
from workbench.analysis.replay import Replay, StepRun
from workbench.analysis.run import AnalysisRun, run_analysis
from workbench.analysis.step import Step, step_of
from workbench.analysis.yaml_file import load_analysis, parse_analysis, save_analysis, to_yaml

__all__ = [
    "Analysis", "AnalysisRun", "Condition", "Replay", "Step", "StepRun", "TableEntry",
    "analysis_of", "load_analysis", "numbers_digest", "parse_analysis", "run_analysis",
    "save_analysis", "step_of", "to_yaml",
]  # fmt: skip
