# One image for every role: what it does is its argument, as `serve`, `worker detect`, `migrate`.
#   docker build -t sightline .
#   docker build -t sightline:cuda --build-arg LOCK=requirements-cuda.lock .    for cards of NVIDIA's: with CUDA and cuDNN
# Everything in it is named with version and hash in that lock.
ARG PYTHON=3.13.5-slim-bookworm

FROM python:${PYTHON} AS build
ARG LOCK=requirements-image.lock
WORKDIR /build
RUN python -m venv /opt/sightline
COPY requirements-image.lock requirements-cuda.lock ./
RUN /opt/sightline/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
    -r ${LOCK}
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN /opt/sightline/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && /opt/sightline/bin/python -m pip uninstall --yes --quiet hatchling editables pathspec pluggy trove-classifiers \
 && /opt/sightline/bin/python -m compileall -q /opt/sightline/lib

# What is in it: a bill of materials, and the notices of all licences.
FROM build AS parts
COPY tools/image/requirements.lock tools.lock
RUN python -m venv /opt/tools \
 && /opt/tools/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: -r tools.lock \
 && mkdir -p /opt/parts \
 && /opt/tools/bin/cyclonedx-py environment --output-reproducible --of JSON -o /opt/parts/sbom.json /opt/sightline/bin/python \
 && /opt/tools/bin/pip-licenses --python=/opt/sightline/bin/python --format=plain-vertical --with-license-file --no-license-path \
    --with-notice-file --output-file=/opt/parts/NOTICES.txt

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="Sightline" \
      org.opencontainers.image.description="Video in; detections, tracks and counts out. Never loses or invents a frame." \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin sightline \
 && install -d -o sightline -g sightline /data /data/debug_output /objects /app/frame_store
COPY --from=build /opt/sightline /opt/sightline
COPY --from=parts /opt/parts /usr/share/doc/sightline
COPY LICENSE NOTICE /usr/share/doc/sightline/
ENV PATH=/opt/sightline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    SIGHTLINE_SERVE__DATA=/data \
    SIGHTLINE_SERVE__HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 5001 8002 8003
# Of `serve`; who runs a worker asks its health port instead.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/api/health', timeout=4)"]
ENTRYPOINT ["sightline"]
CMD ["serve", "--model", "sightline-tiny"]
