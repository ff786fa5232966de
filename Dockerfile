# The workbench as a container: no root, nothing written outside /data and /tmp.
#
#   docker build -t workbench .
#   docker build -t workbench --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .
#
# With --build-context wheels=FOLDER, wheels in that folder go before the indexes.
# docs/operations.md says how to run it; it serves other machines only with sign-in.
ARG PYTHON=docker.io/library/python:3.11-slim

# Empty, unless --build-context wheels=FOLDER takes its place.
FROM scratch AS wheels

FROM ${PYTHON} AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
RUN python -m venv /opt/workbench
COPY --from=wheels / /wheels/
COPY requirements.txt /src/
# PyTorch alone comes from its own index, so that no other package can be taken from there.
RUN set -eu; \
    torch="$(grep '^torch==' /src/requirements.txt)"; \
    if ls /wheels/torch-*.whl >/dev/null 2>&1; then from="--no-index"; \
    else from="--index-url ${TORCH_INDEX}"; fi; \
    /opt/workbench/bin/pip install --no-deps ${from} --find-links /wheels "${torch}"; \
    /opt/workbench/bin/pip install --find-links /wheels --requirement /src/requirements.txt
COPY pyproject.toml README.md LICENSE app.py /src/
COPY .streamlit/config.toml /src/.streamlit/config.toml
COPY pages /src/pages
COPY models /src/models
COPY sample_data /src/sample_data
COPY workbench /src/workbench
RUN /opt/workbench/bin/pip install --no-deps --find-links /wheels /src \
    && /opt/workbench/bin/pip check

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Explainability workbench" \
      org.opencontainers.image.description="Explains the decisions of PyTorch models, and says how far each explanation can be trusted." \
      org.opencontainers.image.licenses="Apache-2.0"
# Chromium prints reports as PDF; it is started on files of the workbench alone, without a network.
# Playwright, which starts it, needs libatomic1.
# The fonts are what it has to write names in: Noto (100 MB) is for Chinese, Japanese, Korean, emoji.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium libatomic1 fonts-dejavu-core \
        fonts-noto-cjk fonts-noto-color-emoji \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 workbench \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin workbench \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=build /opt/workbench /opt/workbench
ENV PATH=/opt/workbench/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    TMPDIR=/tmp \
    XDG_CACHE_HOME=/tmp/cache \
    NUMBA_CACHE_DIR=/tmp/cache/numba \
    MPLCONFIGDIR=/tmp/cache/matplotlib \
    WORKBENCH_HOME=/data \
    WORKBENCH_LOG_FORMAT=json
VOLUME ["/data"]
WORKDIR /data
USER 10001:10001
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["workbench", "serve", "--host", "0.0.0.0"]
