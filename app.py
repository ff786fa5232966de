"""The workbench in a browser: which pages there are."""

import streamlit as st

# A drawing of our own: Streamlit would fetch the icon of a page from the network.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="6" fill="#1f6feb"/>'
    '<path d="M6 7h12v5H6zM14 14h12v5H14zM10 21h10v5H10z" fill="#fff"/></svg>'
)

st.set_page_config(page_title="Explainability workbench", page_icon=ICON, layout="wide")
st.navigation({
    "Explain": [
        st.Page("pages/shapley.py", title="Shapley values", icon=":material/waterfall_chart:"),
    ],
}).run()
