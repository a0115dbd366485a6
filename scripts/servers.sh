#!/bin/sh
# Installs the real S3 servers that the tests compare with: MinIO under .cache, Ceph as system packages.
# What cannot be installed is skipped with a line that says why; the tests then skip it too.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
bin=$root/.cache/servers/bin
version=v0.0.0-20260212201848-7aac2a2c5b7c

if [ -x "$bin/minio" ]; then
  echo "MinIO is here: $bin/minio"
elif ! command -v go >/dev/null 2>&1; then
  echo "MinIO skipped: it is built with go, which is not on PATH"
elif mkdir -p "$bin" && GOBIN=$bin go install "github.com/minio/minio@$version"; then
  echo "MinIO installed: $bin/minio"
else
  echo "MinIO skipped: go install failed"
fi

if command -v radosgw >/dev/null 2>&1; then
  echo "Ceph is here: $(command -v radosgw)"
elif ! command -v apt-get >/dev/null 2>&1; then
  echo "Ceph skipped: it is installed with apt-get, which is not on PATH"
elif [ "$(id -u)" -ne 0 ]; then
  echo "Ceph skipped: apt-get needs root (apt-get install radosgw ceph-mon ceph-osd ceph-common)"
elif apt-get update && apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common; then
  echo "Ceph installed: $(command -v radosgw)"
else
  echo "Ceph skipped: apt-get failed"
fi
exit 0
