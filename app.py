"""The workbench in a browser: which pages there are."""

import streamlit as st

st.set_page_config(page_title="Explainability workbench", layout="wide")
st.navigation({
    "Explain": [
        st.Page("pages/shapley.py", title="Shapley values", icon=":material/waterfall_chart:"),
    ],
}).run()
