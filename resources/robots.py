"""Who is no reader: programs that fetch pages. Our own list, as of 2026-11-22, by what such programs call themselves.

A name is enough to leave a visit out of the numbers, and nothing else hangs on it: nobody is kept away. What calls itself a
browser and is none is counted; numbers for authors need no more. Add a word where the log shows a name that is missing.
"""

import re

AS_OF = "2026-11-22"
PATTERNS = (
    # what most of them say of themselves
    *("bot", "crawl", "spider", "slurp", "scrap", "harvest", "archiv", "fetch", "index(er|ing)", "monitor", "uptime"),
    *("check(er|link)", "validat", "preview", "feed", "rss", "scan", "probe", "ping", "search", "seo", "http[-_ ]?client"),
    # programs and libraries
    *("curl", "wget", "python", "aiohttp", "httpx", "okhttp", "java/", "jakarta", "go-http", "ruby", "perl"),
    *("php/", "libwww"),
    *("node-fetch", "axios", "undici", "guzzle", "apache-http", "restsharp", "postman", "insomnia", "winhttp", "zotero"),
    # browsers that nobody sits at
    *("headless", "phantomjs", "selenium", "puppeteer", "playwright", "lighthouse", "pagespeed", "prerender"),
    # those that look at a link in a message before somebody opens it
    *("facebookexternalhit", "whatsapp", "telegram", "skypeuri", "slack", "discord", "embedly", "vkshare", "bitlybot"),
    *("google-", "mediapartners", "appengine", "bingweb", "yandex", "baidu", "duckduckgo-favicons", "ia_archiver"),
    # language models and their errand boys
    *("gpt", "chatgpt", "openai", "claude", "anthropic", "perplexity", "cohere", "bytespider", "ccbot", "diffbot"),
)  # fmt: skip
_ROBOT = re.compile("|".join(PATTERNS), re.IGNORECASE)
_PREFETCH = re.compile(r"prefetch|preview|prerender", re.IGNORECASE)


def is_robot(user_agent: str) -> bool:
    """By its name; whoever has none is none of the browsers that people use."""
    return not user_agent.strip() or bool(_ROBOT.search(user_agent[:500]))


def is_prefetch(headers) -> bool:
    """Fetched by a browser for the case that somebody opens it."""
    return any(
        _PREFETCH.search(headers.get(name, "")) for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
    )
