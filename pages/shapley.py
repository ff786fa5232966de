"""Which features made this prediction, and the model as a whole?"""

import streamlit as st

from workbench import ui

with ui.page("Which features made this prediction?") as place:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row, count = ui.choose_rows(place)
        output = ui.choose_output(place, row)
        run = st.empty()
    one = row is not None
    if row is not None:
        ui.note(ui.describe_row(place, row))
    said = st.container()
    left, right = ui.side_by_side()
    beside = st.container()
    pairs = st.container()
    numbers = st.container()
    foot = st.container()
    with left:
        drawn, further = st.container(), st.container()
    ask, comparison, together = None, None, False
    with right:
        trust = st.container()
        with st.container(border=True):
            st.markdown("**Method**")
            with ui.errors_shown():
                ask = ui.choose_method(place, row, count)
    if ask is not None:
        with further, ui.errors_shown():
            line, cost = st.container(horizontal=True, vertical_alignment="bottom"), st.container()
            with line:
                options = st.container(width="stretch", horizontal=True)
                together = ui.choose_together()
            with options:
                comparison = ui.choose_comparison(place, ask, row, count, cost)

    answer = None
    if ask is not None:
        with drawn, ui.errors_shown():
            noun = "row" if one else "rows"
            offered = not (one and ask.is_small) or ui.was_stopped(ask, place.person)
            pressed = offered and run.button(
                f"Explain {count:,} {noun}", type="primary", icon=":material/play_arrow:"
            )
            slot, notice = st.container(), st.empty()
            answer = ui.answer_to(
                ask, place.person, ui.Attribution, pressed=pressed,
                starts_itself=one and ask.is_small, slot=slot,
                draw=lambda known: ui.unfinished(known, output, one=one),
            )  # fmt: skip
            if answer is not None and answer.is_stale:
                notice.warning("The settings have changed since: press Explain to update this.")
            if answer is None and not ui.is_under_way(ask, place.person):
                ui.empty_state(
                    f"Press Explain to see which features matter over {count:,} {noun}. "
                    f"{ask.quote.describe()}.",
                    "bar_chart",
                )

    if answer is not None:
        result, name = answer.result, f"shapley-{place.model.card.name}"
        name = f"{name}-row-{result.ids[0]}" if one else f"{name}-{len(result)}-rows"
        sentence = ui.words(result, output, one=one)
        with said:
            ui.answer(sentence)
        with drawn, st.container(border=True):
            view = "waterfall" if one else ui.choose_view(result)
            ui.figure_with_options(result, view, name=name, alt=sentence, output=output)
            ui.downloads(answer, name, place.person)
        with trust:
            ui.trust_card(result)
        if comparison is not None and not answer.is_stale:
            with beside, ui.errors_shown():
                ui.show_comparison(place, answer, comparison, output, view)
        with numbers:
            st.markdown("**The row in numbers**" if one else "**Importance in numbers**")
            (ui.row_table if one else ui.importance_table)(result, output)
        with foot:
            ui.computed_card(result.provenance)
    if ask is not None and together:
        with pairs, ui.errors_shown():
            ui.show_interactions(place, ask, row, count, output)
