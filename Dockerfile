# syntax=docker/dockerfile:1
# Two images, each of one program and nothing beside it: the Action, which is what a build
# without --target makes, and the bot, --target bot. The roots of TLS are compiled in.
# BUILDER may name the builder by digest; which Go made a program, the program says.
ARG BUILDER=docker.io/library/golang:1.26-bookworm

FROM --platform=$BUILDPLATFORM ${BUILDER} AS build
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG VERSION=
WORKDIR /src
COPY . .
# The settings that make the same source the same bytes. Modules are fetched as the
# build needs them: the Action needs a few of those that go.mod names.
RUN CGO_ENABLED=0 GOFLAGS=-trimpath GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -buildvcs=false -ldflags "-s -w -buildid= -X main.released=${VERSION}" -o /out/action ./cmd/action

# A container action runs as root: the runner's files belong to it. The entry point is
# the program itself: a shell would drop the inputs whose names have dashes.
FROM scratch AS action
LABEL org.opencontainers.image.title="sealward" \
      org.opencontainers.image.source="https://github.com/sealward/sealward" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/action /action
USER 0:0
ENTRYPOINT ["/action"]

FROM --platform=$BUILDPLATFORM ${BUILDER} AS build-bot
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG VERSION=
WORKDIR /src
COPY . .
RUN mkdir -p /out/state && \
    CGO_ENABLED=0 GOFLAGS=-trimpath GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -buildvcs=false -ldflags "-s -w -buildid= -X main.released=${VERSION}" -o /out/bot ./cmd/bot

# The bot runs as nobody, on a root that may be read-only; it writes below
# /var/lib/sealward alone, and there only where its database is a SQLite file.
FROM scratch AS bot
LABEL org.opencontainers.image.title="sealward bot" \
      org.opencontainers.image.source="https://github.com/sealward/sealward" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build-bot /out/bot /bot
COPY --from=build-bot --chown=65532:65532 /out/state /var/lib/sealward
VOLUME /var/lib/sealward
USER 65532:65532
EXPOSE 3000
ENTRYPOINT ["/bot"]
CMD ["serve"]

# What is built where nobody says which: action.yml names this file.
FROM action
