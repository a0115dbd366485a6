#!/bin/sh
# Adds Debian packages to an apt repository in a folder that a web server can serve, and creates it if it is not there.
# Source of the format: https://wiki.debian.org/DebianRepository/Format
set -eu
# the web server, and apt's own user, must be able to read it
umask 022

usage() {
  echo "usage: $0 [--key KEY] FOLDER [DEB...]"
  echo "  --key KEY  sign with this key of GnuPG's keyring, and export its public part to FOLDER/ibsr-export.asc"
  echo "  DEB...     packages to add; older ones stay; default: only rebuild the indexes"
}

key=
if [ "${1:-}" = --key ]; then
  key=${2:-}
  [ -n "$key" ] || { usage >&2; exit 2; }
  shift 2
fi
case ${1:-} in
  --help | -h) usage; exit 0 ;;
  "" | -*) usage >&2; exit 2 ;;
esac
folder=$1
shift
command -v dpkg-scanpackages >/dev/null || { echo "$0: dpkg-scanpackages is missing: apt install dpkg-dev" >&2; exit 1; }

pool=pool/main/i/ibsr-export
mkdir -p "$folder/$pool"
for deb; do
  # shellcheck disable=SC2016 # dpkg-deb expands it
  name=$(dpkg-deb --show --showformat '${Package}_${Version}_${Architecture}.deb' "$deb")
  # a host that has the old index would refuse the new file
  if [ -e "$folder/$pool/$name" ] && ! cmp -s "$deb" "$folder/$pool/$name"; then
    echo "$0: $folder/$pool/$name is a different package of the same version; raise the version" >&2
    exit 1
  fi
  cp "$deb" "$folder/$pool/$name"
  chmod 644 "$folder/$pool/$name"
done

cd "$folder"
# the indexes replace the old ones when all of them are complete
rm -rf dists.new
for arch in amd64 arm64; do
  index=dists.new/stable/main/binary-$arch
  mkdir -p "$index"
  dpkg-scanpackages --multiversion --arch "$arch" pool >"$index/Packages"
  gzip -9 --no-name --keep "$index/Packages"
done

(
  cd dists.new/stable
  {
    echo "Origin: ibsr-export"
    echo "Label: ibsr-export"
    echo "Suite: stable"
    echo "Codename: stable"
    echo "Date: $(LC_ALL=C date --utc --date "@${SOURCE_DATE_EPOCH:-$(date +%s)}" '+%a, %d %b %Y %H:%M:%S UTC')"
    echo "Architectures: amd64 arm64"
    echo "Components: main"
    echo "SHA256:"
    for file in main/*/*; do
      echo " $(sha256sum <"$file" | cut -d ' ' -f 1) $(wc -c <"$file") $file"
    done
  } >Release
  if [ -n "$key" ]; then
    gpg --batch --yes --local-user "$key" --armor --detach-sign --output Release.gpg Release
    gpg --batch --yes --local-user "$key" --clear-sign --output InRelease Release
  fi
)
[ -z "$key" ] || gpg --batch --armor --export "$key" >ibsr-export.asc
rm -rf dists
mv dists.new dists
