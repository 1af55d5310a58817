# The lab for a class, on a processor. Models are inside, and nothing is fetched while it runs.
#
#   docker build -t ltp-lab .
#   docker run --rm -p 8501:7860 ltp-lab        # then http://localhost:8501, or this machine's name from elsewhere
#
# tests/deploy follows these instructions, one by one, in a fresh root of Debian packages where there is no Docker.

# What runs in the visitor's browser.
FROM node:22-slim AS web
WORKDIR /web
COPY package.json package-lock.json .npmrc ./
RUN npm ci

FROM debian:bookworm-slim
# PyTorch's build without CUDA, which is several gigabytes. Empty: whatever pip finds by itself.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 lab
ENV PATH=/opt/ltp/bin:$PATH HF_HUB_OFFLINE=1 LTP_LAB_ONNXRUNTIME_WEB=/opt/web
WORKDIR /build
COPY requirements.txt ./
RUN python3 -m venv /opt/ltp \
 && pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX} -r requirements.txt
COPY --from=web /web/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs /web/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm /opt/web/
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE NOTICE ./
COPY ltp_core ltp_core
COPY docs docs
COPY assets/models assets/models
COPY assets/results assets/results
COPY app app
RUN pip install --no-cache-dir --no-deps . && rm -rf /build/*

USER lab
WORKDIR /home/lab
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD python3 -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/_stcore/health', timeout=4)"
CMD ["ltp", "lab", "--host", "0.0.0.0", "--port", "7860", "--no-browser"]
