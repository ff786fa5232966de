"""Chances in words; of the least that draws can show, only what they are below."""

from decimal import ROUND_CEILING, Context, Decimal

from workbench.core.wording import percent


def chance_words(chance: float, *, least: bool = False) -> str:
    """Write a chance as a p-value; of the least there can be, only what it is below.

    Examples
    --------
    >>> chance_words(0.0002), chance_words(0.3), chance_words(1.0)
    ('p below 0.001', 'p 0.3', 'p 1')
    >>> chance_words(1 / 2001, least=True), chance_words(24 / 2001, least=True)
    ('p below 0.0005', 'p below 0.012')
    """
    if least and chance < 1:
        return f"p below {_up(chance)}"
    return "p below 0.001" if chance < 0.001 else f"p {chance:.3f}".rstrip("0").rstrip(".")


def chance_percent(chance: float, *, least: bool = False) -> str:
    """Write a chance per cent; of the least there can be, only what it is below.

    Examples
    --------
    >>> chance_percent(0.3), chance_percent(1 / 2001, least=True), chance_percent(1.0, least=True)
    ('30 %', 'less than 0.05 %', '100 %')
    """
    return f"less than {_up(100 * chance)} %" if least and chance < 1 else percent(chance)


def _up(value: float) -> str:
    """Round up to two digits, so that what is said to be below it is."""
    rounded = Context(prec=2, rounding=ROUND_CEILING).create_decimal(Decimal(value))
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
