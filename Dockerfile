# The server as an image, with what teams need beside it: PostgreSQL's driver and the exporters of OpenTelemetry.
# It speaks over standard input and output, opens no port, and has a user without any rights.
# For one server that many use, over HTTP and behind a load balancer, see compose.yaml.
#
#   docker build --tag vercel-marketplace-mcp .
#   docker run --rm --interactive --read-only --volume vercel-marketplace-mcp:/state \
#       --env VERCEL_TOKEN --env VERCEL_TEAM_ID vercel-marketplace-mcp
#
# Its questions wait in /state. A person answers from a terminal, in a container beside the running one:
#   docker run --rm --interactive --tty --read-only --network none --volume vercel-marketplace-mcp:/state \
#       vercel-marketplace-mcp approve CODE

FROM python:3.13.15-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_QUIET=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
# The one step that needs a network: it takes wheels alone, and only those whose hashes are pinned.
COPY requirements-team.txt ./
RUN pip download --require-hashes --only-binary :all: --dest /wheels --requirement requirements-team.txt
COPY . ./
# The build backend, which is pinned with the rest, stays behind in this stage, and so does pip.
# The byte code is used whatever the time of its source: nothing has to be written where the root is read-only.
RUN pip wheel --no-index --find-links /wheels --no-deps --wheel-dir /wheels . \
    && python -m venv --without-pip /opt/server \
    && pip --python /opt/server/bin/python install --no-index --find-links /wheels --no-compile \
        "$(echo /wheels/vercel_marketplace_mcp-*.whl)[postgres,telemetry]" \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/server/lib \
    && install --directory --mode 0700 /state

FROM python:3.13.15-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
LABEL io.modelcontextprotocol.server.name="io.github.vercel-marketplace-mcp/vercel-marketplace-mcp" \
    org.opencontainers.image.title="vercel-marketplace-mcp" \
    org.opencontainers.image.description="An MCP server that provisions storage from the Vercel Marketplace and buys nothing that a person has not confirmed." \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="0.1.0"
COPY --from=build /opt/server /opt/server
COPY --from=build --chown=65532:65532 /state /state
ENV PATH=/opt/server/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 VERCEL_MCP_STATE_DIR=/state
# By number, so that an orchestrator sees that it is not root; nobody has it, and nothing but /state is its own.
USER 65532:65532
WORKDIR /state
VOLUME ["/state"]
ENTRYPOINT ["vercel-marketplace-mcp"]
CMD ["serve"]
