"""Results for other packages, and explanations from them; each package is loaded when asked for."""

from workbench.interop.arrow import to_arrow, write_parquet
from workbench.interop.lime import as_lime_list
from workbench.interop.shapiq import from_shapiq, to_shapiq

__all__ = ["as_lime_list", "from_shapiq", "to_arrow", "to_shapiq", "write_parquet"]
