# node-numa's stages: `toolchain` has compiler and QEMU, `build` the package and the guest's kernel,
# `test` runs the suites (a plain `docker run` is enough: the guest is outside the container's
# seccomp profile), `runtime` has Node, libnuma and the installed package.
#
#   docker build --target test -t node-numa-test . && docker run --rm node-numa-test
#   docker build -t node-numa . && docker run --rm node-numa doctor
#
# For several processors: docker buildx build --platform linux/amd64,linux/arm64 . (the guest of
# `test` needs amd64). A release gives NODE_IMAGE with its digest.

ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS toolchain
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    g++ git make python3 libnuma-dev qemu-system-x86 seabios \
  && rm -rf /var/lib/apt/lists/*

FROM toolchain AS build
WORKDIR /home/node/node-numa
RUN chown node:node .
USER node
COPY --chown=node:node package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY --chown=node:node . .
RUN node scripts/setup.mjs
RUN mkdir -p /home/node/runtime \
  && npm pack --pack-destination /home/node/runtime \
  && cd /home/node/runtime \
  && npm init -y > /dev/null \
  && npm install --omit=dev ./node-numa-*.tgz \
  && rm ./node-numa-*.tgz

FROM build AS test
RUN node scripts/test-kernels.mjs --fetch
ENV CI=true
CMD ["npm", "test"]

FROM ${NODE_IMAGE} AS runtime
RUN apt-get update \
  && apt-get install -y --no-install-recommends libnuma1 \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
WORKDIR /app
COPY --from=build /home/node/runtime/node_modules ./node_modules
ENV PATH=/app/node_modules/.bin:$PATH
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="node-numa" \
  org.opencontainers.image.description="NUMA memory placement and page migration for Node.js" \
  org.opencontainers.image.licenses="MIT AND Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
USER node
ENTRYPOINT ["node-numa"]
CMD ["doctor"]
