# node-numa's stages: `toolchain` has compiler and QEMU, `build` the package and the guest's kernel,
# `test` runs the suites (a plain `docker run` is enough: the guest is outside the container's
# seccomp profile), `runtime` has Node, libnuma and the installed package.
#
#   docker build --target test -t node-numa-test . && docker run --rm node-numa-test
#   docker build -t node-numa . && docker run --rm node-numa

FROM node:20-bookworm-slim AS toolchain
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    g++ make python3 libnuma-dev qemu-system-x86 seabios \
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

FROM node:20-bookworm-slim AS runtime
RUN apt-get update \
  && apt-get install -y --no-install-recommends libnuma1 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /home/node/runtime/node_modules ./node_modules
USER node
CMD ["node", "--input-type=module", "-e", "import { openNuma } from 'node-numa'; const { backend, topology } = openNuma({ backend: 'native' }); console.log(backend, topology.nodes);"]
