# Images of fest. `docker build .` makes the server; `--target tools` the same with the command `fest` for operators.
# The Node that runs is the one of the lock file (the npm package `node`), not the one of the base image: what is shipped is what
# was tested. docs/operations.md says how the image is run.

# Everything, to build: development tools, all packages.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc turbo.json tsconfig.base.json ./
COPY packages/server/package.json packages/server/
COPY packages/loadtest/package.json packages/loadtest/
COPY packages/cli/package.json packages/cli/
RUN npm ci
COPY scripts scripts
COPY packages packages
RUN npm run build && rm -f packages/*/dist/*.tsbuildinfo

FROM node:24-bookworm-slim AS manifests
WORKDIR /opt/fest
COPY package.json package-lock.json .npmrc ./
COPY packages/server/package.json packages/server/
COPY packages/loadtest/package.json packages/loadtest/
COPY packages/cli/package.json packages/cli/

# What the server needs to run, and nothing else.
FROM manifests AS server-modules
RUN npm ci --omit=dev --workspace=packages/server --include-workspace-root \
  # The package `node` has linked its program to where it is run from; the rest of it, and maps of sources, are for development.
  && rm -rf node_modules/node/node_modules \
  && find node_modules -name '*.map' -delete

# The same for the command.
FROM manifests AS tools-modules
RUN npm ci --omit=dev --workspace=packages/server --workspace=packages/loadtest --workspace=packages/cli --include-workspace-root \
  && rm -rf node_modules/node/node_modules \
  && find node_modules -name '*.map' -delete

# The order log and the gateway's ledger are the only things that are written; both are volumes.
FROM debian:bookworm-slim AS base
RUN groupadd --gid 10001 fest \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin fest \
  && install --directory --owner=fest --group=fest --mode=0700 /var/lib/fest /var/lib/fest/log /var/lib/fest/gateway
WORKDIR /opt/fest
ENV NODE_ENV=production \
    PATH=/opt/fest/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    FEST_HOST=0.0.0.0 \
    FEST_PORT=8080 \
    FEST_LOG_DIR=/var/lib/fest/log \
    FEST_GATEWAY_DIR=/var/lib/fest/gateway
COPY docs/problems docs/problems
COPY infra/docker/health.js infra/docker/

FROM base AS tools
COPY --from=tools-modules /opt/fest ./
COPY --from=build /build/packages/server/dist packages/server/dist
COPY --from=build /build/packages/loadtest/dist packages/loadtest/dist
COPY --from=build /build/packages/cli/dist packages/cli/dist
COPY packages/cli/bin packages/cli/bin
COPY demo demo
USER 10001:10001
WORKDIR /var/lib/fest
ENTRYPOINT ["fest"]
CMD ["help"]

FROM base AS server
COPY --from=server-modules /opt/fest ./
COPY --from=build /build/packages/server/dist packages/server/dist
USER 10001:10001
VOLUME ["/var/lib/fest/log", "/var/lib/fest/gateway"]
EXPOSE 8080
# Beyond FEST_LAME_DUCK_MS and 17 s a stop is forced; give it that (`docker stop -t 30`).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --start-interval=1s --retries=3 \
  CMD ["node", "infra/docker/health.js"]
CMD ["node", "packages/server/dist/main.js"]
