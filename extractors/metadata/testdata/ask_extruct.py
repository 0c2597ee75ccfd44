# Prints what extruct finds on pages: reads lines of JSON {"file", "url"} and
# writes a line of JSON for each, by syntax.
import json
import logging
import sys
import warnings

import extruct

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
SYNTAXES = ["json-ld", "microdata", "rdfa", "opengraph", "microformat"]

for line in sys.stdin:
    page = json.loads(line)
    with open(page["file"], "rb") as f:
        body = f.read().decode("utf-8", "replace")
    found = {}
    for syntax in SYNTAXES:
        try:
            found[syntax] = extruct.extract(body, base_url=page["url"], syntaxes=[syntax])[syntax]
        except Exception as e:  # of the page, or of extruct on it
            found[syntax] = None
            found.setdefault("failed", {})[syntax] = repr(e)
    print(json.dumps(found), flush=True)
