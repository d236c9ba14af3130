# One image, two programs: `manager` and `router`. A test lays out the same files by these very lines.
# The tags name versions; a release gives both with their digests (--build-arg NODE=…@sha256:…).
ARG NODE=node:26.10.0-trixie-slim
ARG BASE=gcr.io/distroless/cc-debian13:nonroot

FROM ${NODE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.ts scripts/
COPY src src
RUN node scripts/build.ts

FROM ${NODE} AS modules
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

# Neither shell nor package manager, and the Node that the tests ran with.
FROM ${BASE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Fairlead" \
      org.opencontainers.image.description="A control plane for serving LLMs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
WORKDIR /app
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=modules /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY bin bin
COPY package.json LICENSE ./
ENV NODE_ENV=production
USER 65532:65532
EXPOSE 8080 8081 9090
ENTRYPOINT ["/usr/local/bin/node", "/app/bin/fairlead.cjs"]
