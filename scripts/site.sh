#!/usr/bin/env bash
# The documentation as a site, in target/site: the pages in its folder docs, beside the files of the repository that they name.
#   scripts/site.sh --install   builds mdBook into .tools/mdbook
#   scripts/site.sh             builds the site and checks its links
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.5.4
home=.tools/mdbook
site=target/site

if [ ! -x "$home/bin/mdbook" ] || [ "$(cat "$home/version" 2>/dev/null)" != "$version" ]; then
  rm -rf "$home"
  # Without its server and its watcher, unoptimised: some dozens of pages are built in seconds.
  cargo install --quiet --locked --debug --no-default-features --features search --root "$home" --version "$version" mdbook
  echo "$version" >"$home/version"
fi
[ "${1:-}" = --install ] && exit 0

rm -rf "$site"
mkdir -p "$site"
# What is a warning of mdBook's, such as a page that is missing, is a failure here.
"$home/bin/mdbook" build 2>target/site-output || { cat target/site-output >&2; exit 1; }
if grep -q -e WARN -e ERROR target/site-output; then
  cat target/site-output >&2
  exit 1
fi
grep -ohE '(\]\(|\]: )\.\./[^)# ]*' docs/*.md | sed -E 's#^.*\.\./##' | sort -u | while read -r file; do
  mkdir -p "$site/$(dirname "$file")"
  cp "$file" "$site/$file"
done
echo '<!doctype html><title>terrane</title><meta http-equiv="refresh" content="0; url=docs/index.html"><a href="docs/index.html">terrane</a>' >"$site/index.html"
scripts/site_links.py "$site"
