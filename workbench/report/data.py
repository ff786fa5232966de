"""The tables that a report is about, in numbers."""

from dataclasses import dataclass

from workbench.core.wording import counted, joined, percent
from workbench.engines.performance.overview import FeatureOverview, Overview
from workbench.plots.words import number
from workbench.report.document import Level
from workbench.report.section import Grid


@dataclass(frozen=True)
class DataPart:
    """A table in a report; all text plain, escaped by the template."""

    name: str
    title: str
    sentences: tuple[str, ...]
    tables: tuple[Grid, ...]


def data_part(table: Overview, name: str, level: Level) -> DataPart:
    """Describe a table: in sentences, and unless in summary, every column of it."""
    balance = (_balance(table),) if table.class_names else ()
    features = () if level == "summary" else (_features(table),)
    return DataPart(name, table.name, _sentences(table), (*balance, *features))


def _sentences(table: Overview) -> tuple[str, ...]:
    schema, n = table.schema, table.n_rows
    said = [f"{counted(n, 'row')} with {counted(len(schema.features), 'feature')} each."]
    if table.target is not None and table.target.quartiles is not None:
        low, middle, high = table.target.quartiles
        unit = f" {schema.target_unit}" if schema.target_unit else ""
        said.append(
            f"The target is {schema.target}: {number(middle)}{unit} in the middle row, half of "
            f"the rows lie between {number(low)} and {number(high)}."
        )
    elif table.class_names:
        most = int(table.class_counts.argmax())
        said.append(
            f"The target is {schema.target}; the most frequent class is "
            f"{table.class_names[most]} ({percent(int(table.class_counts[most]) / n)})."
        )
    else:
        said.append("The rows carry no target.")
    lacking = [found for found in table.features if found.missing > 0]
    worst = max(lacking, key=lambda found: found.missing, default=None)
    said.append(
        "No value is missing." if worst is None else
        f"Values are missing in {counted(len(lacking), 'column')}, most in "
        f"{worst.feature.name} ({percent(worst.missing)})."
    )  # fmt: skip
    protected = [found.feature.name for found in table.features if found.feature.protected]
    said.append(
        f"Protected: {joined(protected)}." if protected else "No column is marked as protected."
    )
    if table.duplicates:
        said.append(f"{counted(table.duplicates, 'row')} equal an earlier one.")
    return tuple(said)


def _balance(table: Overview) -> Grid:
    rows = tuple(
        (name, f"{int(n):,}", percent(int(n) / table.n_rows))
        for name, n in zip(table.class_names, table.class_counts, strict=True)
    )
    return Grid("Classes of the target", ("class", "rows", "share"), rows, frozenset({1, 2}))


def _features(table: Overview) -> Grid:
    rows = tuple(
        (
            found.feature.name, found.feature.kind, found.feature.unit or "",
            percent(found.missing) if found.missing else "none", f"{found.distinct:,}",
            _range(found), _marks(found),
        )
        for found in table.features
    )  # fmt: skip
    columns = ("feature", "kind", "unit", "missing", "different values", "values", "marked")
    return Grid("Columns", columns, rows, frozenset({3, 4}))


def _range(found: FeatureOverview) -> str:
    if found.low is None or found.high is None or found.quartiles is None:
        return ", ".join(found.labels[:3]) + (", …" if len(found.labels) > 3 else "")
    return f"{number(found.low)} to {number(found.high)}, middle {number(found.quartiles[1])}"


def _marks(found: FeatureOverview) -> str:
    marks = {"protected": found.feature.protected, "cannot change": found.feature.immutable}
    return ", ".join(word for word, has in marks.items() if has)
