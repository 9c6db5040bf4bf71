# Nothing here takes BuildKit, which not every Docker has. Without it, TARGETOS and TARGETARCH are empty, which is the builder's own platform.
FROM golang:1.26 AS builder
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
WORKDIR /workspace

# Modules first: this layer is built again only when they change.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o manager ./cmd

# The operator is one static file: it needs no shell, no libc, and no certificates but those of its service account.
# `make image` builds this stage without Docker; tools/crane/image says which instructions it knows.
FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title=app-operator
LABEL org.opencontainers.image.description="Turns one short Application into a running, served, scaled and protected workload"
LABEL org.opencontainers.image.version=$VERSION
LABEL org.opencontainers.image.licenses=Apache-2.0
LABEL org.opencontainers.image.source=https://github.com/example/app-operator
COPY --from=builder /workspace/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
