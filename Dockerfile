# The API, the workers and the migrations of docker-compose.yml: one image, one command each.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv .venv
# The dependencies first, over an empty package: a change of the sources does not install them again.
# PostgreSQL and Valkey run in containers of their own here; steps that ask a model can be used.
COPY pyproject.toml constraints.txt README.md ./
RUN mkdir -p src/weft && touch src/weft/__init__.py \
    && .venv/bin/pip install --constraint constraints.txt --editable '.[models]'
COPY src src
COPY migrations migrations

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home weft && install -d -o weft -g weft -m 0700 /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 WEFT_HOST=0.0.0.0 WEFT_PORT=8000 WEFT_DATA_DIR=/data
USER weft
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["weft"]
CMD ["api"]
