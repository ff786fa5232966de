"""The workbench in a browser: which pages there are."""

import streamlit as st

from workbench import ui

# A drawing of our own: Streamlit would fetch the icon of a page from the network.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="6" fill="#1f6feb"/>'
    '<path d="M6 7h12v5H6zM14 14h12v5H14zM10 21h10v5H10z" fill="#fff"/></svg>'
)

PAGES = {
    "Start": [
        st.Page("pages/workspace.py", title="Workspace", icon=":material/home:", default=True),
        st.Page("pages/registry.py", title="Registry", icon=":material/inventory_2:"),
        st.Page("pages/add_data.py", title="Add data", icon=":material/table_rows:"),
        st.Page("pages/add_model.py", title="Add a model", icon=":material/upload_file:"),
    ],
    "Explain": [
        st.Page("pages/shapley.py", title="Shapley values", icon=":material/waterfall_chart:"),
        st.Page(
            "pages/which_explanation.py", title="Which explanation?", icon=":material/fact_check:"
        ),
        st.Page("pages/local_models.py", title="Local models", icon=":material/join_inner:"),
        st.Page("pages/what_if.py", title="What if?", icon=":material/tune:"),
        st.Page("pages/interactions.py", title="Interactions", icon=":material/hub:"),
        st.Page("pages/profiles.py", title="Profiles", icon=":material/show_chart:"),
        st.Page("pages/fastshap.py", title="FastSHAP", icon=":material/bolt:"),
    ],
    "Question": [
        st.Page(
            "pages/equally_good_models.py",
            title="Equally good models",
            icon=":material/diversity_2:",
        ),
        st.Page("pages/fairness.py", title="Fairness", icon=":material/balance:"),
        st.Page("pages/people.py", title="People", icon=":material/group:"),
        st.Page("pages/inside.py", title="Inside the network", icon=":material/schema:"),
        st.Page("pages/remedies.py", title="Remedies", icon=":material/healing:"),
    ],
    "Deliver": [
        st.Page("pages/report.py", title="Report", icon=":material/description:"),
        st.Page("pages/jobs.py", title="Jobs", icon=":material/assignment_turned_in:"),
    ],
    "Operate": [
        st.Page("pages/health.py", title="Health", icon=":material/monitor_heart:"),
    ],
}

ui.configure_logs()
# The icon goes first: for the drawing of a page, the browser would ask the network.
st.set_page_config(page_icon=ICON, layout="wide")
# Of more than twelve pages the menu would hide the last ones behind a line.
page = st.navigation(PAGES, position=ui.navigation_position(), expanded=True)
st.set_page_config(page_title=f"{page.title} · Explainability workbench")
page.run()
