#!/usr/bin/env bash
# A browser for the tests of pages.
#   scripts/browser.sh --found     succeeds if one is installed
#   scripts/browser.sh --install   installs Debian's Chromium and fonts; for machines of a CI, as root
set -euo pipefail

case "${1:-}" in
--found)
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then exit 0; fi
  done
  [ -x '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' ]
  ;;
--install)
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "error: install Chromium or Chrome; this script does so only as root with apt-get" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core fonts-liberation >/dev/null
  ;;
*)
  echo "usage: scripts/browser.sh --found|--install" >&2
  exit 64
  ;;
esac
