#!/usr/bin/env python3
"""Checks every link of the built site: the file is there, and so is the heading that it leads to.

usage: site_links.py FOLDER
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and the places that links may lead to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value and tag != "base":
                self.links.append(value)
            elif name in ("id", "name") and value:
                self.places.add(value)


def main(folder):
    files = sorted(folder.rglob("*.html"))
    pages = {file.resolve(): Page(file.read_text()) for file in files}
    broken = []
    count = 0
    for file, page in pages.items():
        # Links of the page for missing pages stand for any folder.
        if file.name in ("404.html", "toc.html", "print.html"):
            continue
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc or link == "#":
                continue
            count += 1
            target = (file.parent / unquote(url.path)).resolve() if url.path else file
            if target.is_dir():
                target = target / "index.html"
            place = unquote(url.fragment)
            if not target.exists():
                broken.append(f"{file.name}: {link}: no such file")
            elif place and target in pages and place not in pages[target].places:
                broken.append(f"{file.name}: {link}: no such heading")
    for line in broken:
        print(f"error: {line}", file=sys.stderr)
    if not count:
        print(f"error: no links under {folder}", file=sys.stderr)
    else:
        print(f"{len(pages)} pages, {count} links, {len(broken)} broken")
    return 1 if broken or not count else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(64)
    sys.exit(main(Path(sys.argv[1])))
