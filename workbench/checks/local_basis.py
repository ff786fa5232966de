"""Checks of a Local Interaction Basis: enough rows, and is it sparser than what is simpler?"""

from workbench.checks.record import Check, Finding
from workbench.core.local_basis import LocalBasis
from workbench.core.wording import counted, percent

FEW_ROWS, A_DIRECTION = 200, 5
FEW_JUDGED = 100  # of fewer, a single one is more than a point of accuracy


def enough_rows(result: LocalBasis) -> Finding:
    """Hold the rows that bases are made of against the directions that they have to tell apart."""
    directions = int((result.widths[:-1] / result.positions[:-1]).max())
    wanted = max(FEW_ROWS, A_DIRECTION * directions)
    evidence = {"rows": float(result.fitted), "wanted": float(wanted)}
    brief = counted(result.fitted, "row")
    if result.fitted >= wanted:
        return Finding("ok", "Bases are made of enough rows.", evidence, float(wanted), brief)
    return Finding(
        "warning",
        f"Bases are made of {counted(result.fitted, 'row')}, fewer than {wanted}: with other rows "
        "features and their order may be others.",
        evidence, float(wanted), brief,
    )  # fmt: skip


def sparser(result: LocalBasis) -> Finding:
    """Ask whether the basis takes fewer edges than principal components."""
    lib, pca = (int(result.edges_required[b].sum()) for b in (0, 1))
    share = lib / pca if pca else 1.0
    evidence = {"share": share, "lib": float(lib), "pca": float(pca)}
    brief = f"{lib:,} against {pca:,} edges"
    if lib < pca:
        return Finding(
            "ok", f"It takes {percent(share)} of the edges that principal components take.",
            evidence, 1.0, brief,
        )  # fmt: skip
    return Finding(
        "warning",
        f"It takes {counted(lib, 'edge')}, principal components {pca:,}: the plainer basis tells "
        "as much about this network.",
        evidence, 1.0, brief,
    )  # fmt: skip


def untied(result: LocalBasis) -> Finding:
    """Look for features that matter and cannot be told from a neighbour."""
    tied = sum(
        int(result.is_tied(at)[: result.nodes_required[0, at]].sum())
        for at in range(result.n_sections)
    )
    needed = int(result.nodes_required[0].sum())
    evidence = {"tied": float(tied), "needed": float(needed)}
    brief = f"{tied} of {needed}"
    if not tied:
        return Finding(
            "ok", "Every feature that is needed stands apart from its neighbours.", evidence, 0.0,
            brief,
        )  # fmt: skip
    return Finding(
        "warning",
        f"{counted(tied, 'feature')} of {needed} that are needed have an importance within 1 % of "
        "a neighbour: only the space that such features span means something, not each of them.",
        evidence, 0.0, brief,
    )  # fmt: skip


def judged_by_enough(result: LocalBasis) -> Finding:
    """Ask whether rows could show what is lost: enough of them, and not said by a constant."""
    curve = result.all_nodes_curve()
    constant = float(curve.worth[curve.kept == 0][0])
    evidence = {"rows": float(result.judged), "base": result.base, "constant": constant}
    brief = counted(result.judged, "row")
    if constant >= result.least:
        return Finding(
            "warning",
            "With nothing left of it the network is as good on these rows: one answer for all does "
            "as well, so that they cannot tell what it needs. Judge it by other rows.",
            evidence, float(FEW_JUDGED), "a constant is as good",
        )  # fmt: skip
    if result.judged < FEW_JUDGED:
        return Finding(
            "warning",
            f"What can be left out is judged by {brief}, fewer than {FEW_JUDGED}: how many "
            "features and edges are needed hangs on single rows.",
            evidence, float(FEW_JUDGED), brief,
        )  # fmt: skip
    return Finding(
        "ok", "Enough rows judge what can be left out, and a constant answer does worse.", evidence,
        float(FEW_JUDGED), brief,
    )  # fmt: skip


LOCAL_BASIS_CHECKS = (
    Check("WB070", "Enough rows for the bases", "warning", 0, LocalBasis, enough_rows),
    Check("WB071", "Sparser than principal components", "warning", 0, LocalBasis, sparser),
    Check("WB072", "Features stand apart", "warning", 0, LocalBasis, untied),
    Check("WB073", "Rows that show what is lost", "warning", 0, LocalBasis, judged_by_enough),
)
