# One image for every stage: `docker run ballast run STAGE --slot N` and all other commands.
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/ballast
COPY requirements.lock ./
RUN /opt/ballast/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY streams ./streams
COPY services ./services
RUN /opt/ballast/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:${PYTHON_VERSION}-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home ballast \
  && install -d -o ballast -g ballast /var/lib/ballast
COPY --from=build /opt/ballast /opt/ballast
ENV PATH=/opt/ballast/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MKL_NUM_THREADS=1 \
    BALLAST_HOME=/var/lib/ballast
USER ballast
WORKDIR /var/lib/ballast
ENTRYPOINT ["ballast"]
CMD ["--help"]
