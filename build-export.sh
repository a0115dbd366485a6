#!/bin/sh
# Builds dist/ibsr-export-<arch>, a single executable that needs only the C and C++ libraries of any Linux.
set -eu
cd "$(dirname -- "$0")"

usage() {
  echo "usage: $0 [--arch arm64|x86_64] [--docker]"
  echo "  --arch    the architecture to build for (default: arm64)"
  echo "  --docker  build in a container, with nothing but Docker; otherwise Node 20 or newer and npm are needed"
}

arch=arm64
note=", the default; for x86_64: $0 --arch x86_64"
docker=
while [ $# -gt 0 ]; do
  case $1 in
    --arch) arch=${2:-} note=; [ $# -eq 1 ] || shift ;;
    --arch=*) arch=${1#*=} note= ;;
    --docker) docker=yes ;;
    --help | -h) usage; exit 0 ;;
    *) echo "$0: unknown argument '$1'" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
case $arch in
  arm64 | x86_64) echo "Building dist/ibsr-export-$arch$note" ;;
  *) echo "$0: --arch must be arm64 or x86_64, got '$arch'" >&2; exit 2 ;;
esac

if [ -n "$docker" ]; then
  commit=$(git rev-parse HEAD 2>/dev/null | cut -c -12)
  [ -z "$(git status --porcelain 2>/dev/null)" ] || commit=$commit+changes
  docker build --file scripts/Dockerfile --build-arg "ARCH=$arch" --build-arg "COMMIT=${commit:-unknown}" --output dist .
  cd dist
  sha256sum ibsr-export[-_]* > checksums.txt
  exit
fi

node scripts/setup.mjs
PATH=$PWD/node_modules/.bin:$PATH
exec node scripts/build.ts "$arch"
